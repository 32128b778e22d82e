// Which group runs a release that is held back, and how a release is written: pure.

import type { HeldBack } from '../../api/held';
import type { ServerGroup } from '../../api/inventory';
import { releaseOf } from './effects';
import { shortImage } from './names';

/** What the address calls it. */
export function keyOf(held: HeldBack): string {
  return `${held.account}:${held.cluster}:${held.release}`;
}

/** Whether it is held back from a cluster; clusters are an account's own. */
export function isFrom(held: HeldBack, account: string, cluster: string): boolean {
  return held.account === account && held.cluster.toLowerCase() === cluster.toLowerCase();
}

export function isHeld(group: ServerGroup, held: HeldBack): boolean {
  return isFrom(held, group.account, group.cluster) && (group.image === held.image || releaseOf(group) === held.release);
}

/** An image without a known package is called by the last part of its name. */
export function shortRelease(release: string): string {
  return release.includes('/') || release.includes('sha256:') ? (shortImage(release) ?? release) : release;
}
