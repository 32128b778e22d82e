// What an action will do to a cluster, before it is done: the same server groups as they will be, and what is worth a warning. Pure.

import { trafficShares, upCount, type Instance, type ServerGroup } from '../../api/inventory';
import type { Guard } from '../../api/application';
import { watches } from '../../parts/guards';

export const GROUP_ACTS = ['enable', 'disable', 'resize', 'rollback', 'destroy'] as const;
export type GroupAct = (typeof GROUP_ACTS)[number];
export const INSTANCE_ACTS = ['reboot', 'deregister', 'register', 'terminate'] as const;
export type InstanceAct = (typeof INSTANCE_ACTS)[number];
export type Act = GroupAct | InstanceAct;

export interface Capacity {
  min: number;
  desired: number;
  max: number;
}

export type Change =
  | { act: 'enable' | 'disable' | 'destroy' }
  | { act: 'resize'; capacity: Capacity }
  | { act: 'rollback'; left: string; restored: string }
  | { act: 'reboot' | 'deregister' | 'register'; instance: string }
  | { act: 'terminate'; instance: string; shrink: boolean };

/** Which actions make sense on a group as it is now. */
export function actsOn(group: ServerGroup, cluster: ServerGroup[]): GroupAct[] {
  return GROUP_ACTS.filter((act) => {
    if (act === 'enable') return group.disabled;
    if (act === 'disable') return !group.disabled;
    if (act === 'rollback') return rollbackOf(group, cluster) !== undefined;
    return true;
  });
}

/** Which actions make sense on an instance as it is now. */
export function actsOnInstance(group: ServerGroup, instance: Instance): InstanceAct[] {
  return INSTANCE_ACTS.filter((act) => {
    if (act === 'register') return group.balancers.length > 0 && !group.disabled && isOut(instance);
    if (act === 'deregister') return group.balancers.length > 0 && !group.disabled && !isOut(instance);
    return true;
  });
}

function isOut(instance: Instance): boolean {
  return instance.state === 'OutOfService' || instance.state === 'Draining';
}

/** The groups of one cluster in one place, the newest first: those that an action on one of them concerns. */
export function clusterOf(group: ServerGroup, all: ServerGroup[]): ServerGroup[] {
  return all.filter((one) => one.cluster === group.cluster && one.account === group.account && one.region === group.region).sort(newestFirst);
}

function newestFirst(a: ServerGroup, b: ServerGroup): number {
  return (b.createdTime ?? 0) - (a.createdTime ?? 0) || b.name.localeCompare(a.name);
}

export interface Rollback {
  /** The group that loses its traffic, and that is held back. */
  left: ServerGroup;
  /** The groups that may get it back, the nearest first. */
  choices: ServerGroup[];
}

/**
 * A rollback that begins at this group. One with traffic gives it back to an older one, else to any other; one without traffic gets it
 * back from the newest that has it.
 */
export function rollbackOf(group: ServerGroup, cluster: ServerGroup[]): Rollback | undefined {
  const newest = [...cluster].sort(newestFirst);
  if (group.disabled) {
    const left = newest.find((one) => !one.disabled);
    return left === undefined ? undefined : { left, choices: [group] };
  }
  const at = newest.findIndex((one) => one.name === group.name);
  const choices = [...newest.slice(at + 1), ...newest.slice(0, Math.max(at, 0))];
  return choices.length === 0 ? undefined : { left: group, choices };
}

/** The groups as they are after the change; one that is destroyed is gone. */
export function afterwards(groups: ServerGroup[], name: string, change: Change): ServerGroup[] {
  const on = (which: string, make: (group: ServerGroup) => ServerGroup) => groups.map((group) => (group.name === which ? make(group) : group));
  switch (change.act) {
    case 'enable':
      return on(name, enabled);
    case 'disable':
      return on(name, disabled);
    case 'destroy':
      return groups.filter((group) => group.name !== name);
    case 'resize':
      return on(name, (group) => resized(group, change.capacity));
    case 'rollback': {
      const left = groups.find((group) => group.name === change.left);
      return groups.map((group) => {
        if (group.name === change.left) return disabled(group);
        // The way back ends with the size of the group that is left.
        return group.name === change.restored ? resized(enabled(group), left?.capacity ?? group.capacity) : group;
      });
    }
    case 'reboot':
      return on(name, (group) => withState(group, change.instance, 'Starting'));
    case 'deregister':
      return on(name, (group) => withState(group, change.instance, 'OutOfService'));
    case 'register':
      return on(name, (group) => withState(group, change.instance, 'Up'));
    case 'terminate':
      return on(name, (group) => {
        const rest = { ...group, instances: group.instances.filter((one) => one.id !== change.instance) };
        return change.shrink ? { ...rest, capacity: shrunk(group.capacity) } : rest;
      });
  }
}

function enabled(group: ServerGroup): ServerGroup {
  return { ...group, disabled: false, instances: group.instances.map((one) => (isOut(one) ? { ...one, state: 'Up' } : one)) };
}

function disabled(group: ServerGroup): ServerGroup {
  return { ...group, disabled: true, instances: group.instances.map((one) => (one.state === 'Up' ? { ...one, state: 'OutOfService' } : one)) };
}

function withState(group: ServerGroup, id: string, state: string): ServerGroup {
  return { ...group, instances: group.instances.map((one) => (one.id === id ? { ...one, state } : one)) };
}

function shrunk(capacity: Capacity): Capacity {
  const desired = Math.max(0, capacity.desired - 1);
  return { min: Math.min(capacity.min, desired), desired, max: capacity.max };
}

function resized(group: ServerGroup, capacity: Capacity): ServerGroup {
  const instances = group.instances.slice(0, capacity.desired);
  const blank: Instance = { id: '', name: '', state: group.disabled ? 'OutOfService' : 'Up', zone: undefined, launchTime: undefined, address: undefined, why: undefined };
  while (instances.length < capacity.desired) instances.push({ ...blank, id: `new ${instances.length}` });
  return { ...group, capacity, instances };
}

/** One group before and after: `undefined` after means that it is gone. */
export interface Row {
  name: string;
  before: { desired: number; share: number; disabled: boolean };
  after: { desired: number; share: number; disabled: boolean } | undefined;
  changes: boolean;
}

export function rowsOf(before: ServerGroup[], after: ServerGroup[]): Row[] {
  const shares = { before: trafficShares(before), after: trafficShares(after) };
  return before.map((group) => {
    const then = after.find((one) => one.name === group.name);
    const was = { desired: group.capacity.desired, share: shares.before.get(group.name) ?? 0, disabled: group.disabled };
    const is = then && { desired: then.capacity.desired, share: shares.after.get(group.name) ?? 0, disabled: then.disabled };
    return { name: group.name, before: was, after: is, changes: is === undefined || is.desired !== was.desired || is.share !== was.share || is.disabled !== was.disabled };
  });
}

/** Instances in traffic. */
export function serving(groups: ServerGroup[]): number {
  return groups.reduce((sum, group) => sum + (group.disabled ? 0 : upCount(group.instances)), 0);
}

/** Whether a guard watches over this group's cluster. */
export function isGuarded(group: ServerGroup, guards: Guard[]): boolean {
  return guards.some((guard) => watches(guard, group));
}

/** What a release is called: `package-version`; without a known package the image. */
export function releaseOf(group: ServerGroup): string | undefined {
  return group.package?.replace(' ', '-') ?? group.image;
}

/** What stands out about a change, worst first, as the page says it. */
export interface Warning {
  kind: 'carries' | 'nobody' | 'fewer' | 'refused' | 'guarded';
  share: number;
  from: number;
  to: number;
}

/** What a person must know before it is done: whose traffic it is, who is left to answer, and whether a guard stands in the way. */
export function warningsOf(group: ServerGroup, before: ServerGroup[], after: ServerGroup[], change: Change, guards: Guard[]): Warning[] {
  const [from, to] = [serving(before), serving(after)];
  const share = trafficShares(before).get(change.act === 'rollback' ? change.left : group.name) ?? 0;
  const warn = (kind: Warning['kind']): Warning => ({ kind, share, from, to });
  const found: Warning[] = [];
  const takesAll = change.act === 'destroy' || change.act === 'disable' || (change.act === 'resize' && change.capacity.desired === 0);
  if (takesAll && share > 0) found.push(warn('carries'));
  if (from > 0 && to === 0) found.push(warn('nobody'));
  else if (to < from && change.act !== 'rollback') found.push(warn('fewer'));
  if (isGuarded(group, guards) && to < from) found.push(warn(to === 0 && change.act !== 'reboot' ? 'refused' : 'guarded'));
  return found;
}
