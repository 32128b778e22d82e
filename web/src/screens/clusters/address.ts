// What stands in the address of the clusters: the selected group and instance, the open dialog, the tab, the task that is followed.

import type { Named } from '../../api/named';
import { INSTANCE_ACTS, GROUP_ACTS, type Act } from './effects';

export const VIEWS = ['details', 'log'] as const;
export type View = (typeof VIEWS)[number];

export interface ClustersSearch {
  /** What the groups are filtered by. */
  q?: string;
  group?: string;
  /** Where the group is; a link may leave it out. */
  account?: string;
  region?: string;
  instance?: string;
  act?: Act;
  view?: View;
  task?: string;
  /** The wizard that is open: `create`, or `clone` of the group. */
  do?: string;
  /** A release that may come again: `account:cluster:release`. */
  held?: string;
}

/** What an address calls a group. */
export function meaning({ name, account, region }: Named): { group: string; account: string; region: string } {
  return { group: name, account, region };
}

/** What an address says, without what it may not say. */
export function readClustersSearch(search: Record<string, unknown>): ClustersSearch {
  const act = [...GROUP_ACTS, ...INSTANCE_ACTS].find((one) => one === search.act);
  const view = VIEWS.find((one) => one === search.view);
  const words: ClustersSearch = {};
  for (const key of ['q', 'group', 'account', 'region', 'instance', 'task', 'held', 'do'] as const) {
    const value = search[key];
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') words[key] = String(value);
  }
  return { ...words, ...(act === undefined ? {} : { act }), ...(view === undefined ? {} : { view }) };
}
