// Each action as a task's job and as a command: pure.

import { quoted } from '../../api/actions';
import type { ServerGroup } from '../../api/inventory';
import { taskCommand, type Asked, type Job } from '../../api/jobs';
import type { Change } from './effects';

const TYPES = {
  enable: 'enableServerGroup',
  disable: 'disableServerGroup',
  destroy: 'destroyServerGroup',
  resize: 'resizeServerGroup',
  rollback: 'rollbackServerGroup',
  reboot: 'rebootInstances',
  register: 'registerInstancesWithLoadBalancer',
  deregister: 'deregisterInstancesFromLoadBalancer',
} as const;

export function jobOf(group: ServerGroup, change: Change, reason: string): Job {
  const place = { credentials: group.account, region: group.region };
  const why = reason === '' ? {} : { reason };
  switch (change.act) {
    case 'enable':
    case 'disable':
    case 'destroy':
      return { type: TYPES[change.act], ...place, cluster: group.cluster, serverGroupName: group.name, ...why };
    case 'resize':
      return { type: TYPES.resize, ...place, cluster: group.cluster, serverGroupName: group.name, action: 'scale_exact', capacity: change.capacity, ...why };
    case 'rollback':
      return {
        type: TYPES.rollback, ...place, cluster: group.cluster, rollbackType: 'EXPLICIT',
        rollbackContext: { rollbackServerGroupName: change.left, restoreServerGroupName: change.restored }, ...why,
      };
    case 'terminate':
      return { type: change.shrink ? 'terminateInstanceAndDecrementServerGroup' : 'terminateInstances', ...place, serverGroupName: group.name, instanceIds: [change.instance], ...why };
    case 'reboot':
      return { type: TYPES.reboot, ...place, serverGroupName: group.name, instanceIds: [change.instance], ...why };
    case 'register':
    case 'deregister':
      return { type: TYPES[change.act], ...place, serverGroupName: group.name, instanceIds: [change.instance], loadBalancerNames: group.balancers, ...why };
  }
}

/** The shortest command that does the same. */
export function commandOf(origin: string, group: ServerGroup, change: Change, reason: string): string {
  const where = ` --account ${quoted(group.account)} --region ${quoted(group.region)} --server ${origin}`;
  switch (change.act) {
    case 'enable':
    case 'disable':
    case 'destroy':
      return `gennaker server-group ${change.act} ${quoted(group.name)}${where}`;
    case 'resize': {
      const { min, desired, max } = change.capacity;
      const bounds = min === desired && max === desired ? '' : ` --min ${min} --max ${max}`;
      return `gennaker server-group resize ${quoted(group.name)} ${desired}${bounds}${where}`;
    }
    case 'rollback': {
      const why = reason === '' ? '' : ` -m ${quoted(reason)}`;
      return `gennaker rollback ${quoted(group.application)} --cluster ${quoted(group.cluster)} --to ${quoted(change.restored)}${why}${where}`;
    }
    default:
      return taskCommand(origin, askedOf(group, change, reason));
  }
}

/** The whole task. */
export function askedOf(group: ServerGroup, change: Change, reason: string): Asked {
  return { application: group.application, description: describedAs(group, change), job: jobOf(group, change, reason) };
}

/** What the task is called: in English, because everybody reads the same list of tasks. */
function describedAs(group: ServerGroup, change: Change): string {
  switch (change.act) {
    case 'resize':
      return `Resize ${group.name} to ${change.capacity.desired}`;
    case 'rollback':
      return `Roll back ${change.left} to ${change.restored}`;
    case 'enable':
      return `Enable ${group.name}`;
    case 'disable':
      return `Disable ${group.name}`;
    case 'destroy':
      return `Destroy ${group.name}`;
    case 'terminate':
      return `Terminate ${change.instance}`;
    case 'reboot':
      return `Reboot ${change.instance}`;
    case 'register':
      return `Put ${change.instance} into the load balancer`;
    case 'deregister':
      return `Take ${change.instance} out of the load balancer`;
  }
}
