// What stands in the address of the clusters: the selected group and instance, the open dialog, the tab, the task that is followed.

import { INSTANCE_ACTS, GROUP_ACTS, type Act } from './effects';

export const VIEWS = ['details', 'log'] as const;
export type View = (typeof VIEWS)[number];

export interface ClustersSearch {
  /** What the groups are filtered by. */
  q?: string;
  group?: string;
  instance?: string;
  act?: Act;
  view?: View;
  task?: string;
  /** The wizard that is open: `create`, or `clone` of the group. */
  do?: string;
  /** A release that may come again: `cluster:release`. */
  held?: string;
}

/** What an address says, without what it may not say. */
export function readClustersSearch(search: Record<string, unknown>): ClustersSearch {
  const act = [...GROUP_ACTS, ...INSTANCE_ACTS].find((one) => one === search.act);
  const view = VIEWS.find((one) => one === search.view);
  const words: ClustersSearch = {};
  for (const key of ['q', 'group', 'instance', 'task', 'held', 'do'] as const) {
    const value = search[key];
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') words[key] = String(value);
  }
  return { ...words, ...(act === undefined ? {} : { act }), ...(view === undefined ? {} : { view }) };
}
