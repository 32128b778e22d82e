// Traffic guards: which clusters one guards, and how it is named. Pure.

import type { Guard } from '../api/application';
import type { ServerGroup } from '../api/inventory';

/** Names a guard in the address. */
export function keyOf(guard: Guard): string {
  return [guard.account, guard.location, guard.stack, guard.detail].join('/');
}

/** Stack and detail of a cluster's name: the parts behind the first and the second hyphen. */
export function partsOf(cluster: string): { stack: string; detail: string } {
  const [, stack = '', ...detail] = cluster.split('-');
  return { stack, detail: detail.join('-') };
}

/** Whether a guard is meant for the cluster of a group: `*` stands for anything, nothing for nothing. */
export function watches(guard: Guard, group: ServerGroup): boolean {
  const is = (wanted: string, own: string) => wanted === '*' || wanted.toLowerCase() === own.toLowerCase();
  const { stack, detail } = partsOf(group.cluster);
  return guard.enabled && is(guard.account, group.account) && is(guard.location, group.region) && is(guard.stack, stack) && is(guard.detail, detail);
}

/** The clusters that a guard guards, each once: `account/region cluster`. */
export function guarded(guard: Guard, groups: ServerGroup[]): string[] {
  return [...new Set(groups.filter((group) => watches(guard, group)).map((group) => `${group.account}/${group.region} ${group.cluster}`))].sort();
}
