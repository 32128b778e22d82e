// The lenses over a run and the tabs of its selected stage: what may stand in the address.

export const LENSES = ['graph', 'timeline', 'table'] as const;
export type Lens = (typeof LENSES)[number];

export const TABS = ['summary', 'tasks', 'log', 'data', 'expressions'] as const;
export type Tab = (typeof TABS)[number];

export const ACTS = ['pause', 'resume', 'skip', 'restart'] as const;
export type Act = (typeof ACTS)[number];

/** The key of each lens. */
export const KEYS: Record<Lens, string> = { graph: 'g', timeline: 't', table: 'l' };

export interface RunSearch {
  lens?: Lens;
  stage?: string;
  tab?: Tab;
  cancel?: boolean;
  act?: Act;
  /** The stage that the open dialog is about, which need not be the one that is looked at. */
  on?: string;
}

/** What an address says, without what it may not say. */
export function readRunSearch(search: Record<string, unknown>): RunSearch {
  const lens = LENSES.find((one) => one === search.lens);
  const tab = TABS.find((one) => one === search.tab);
  const act = ACTS.find((one) => one === search.act);
  return {
    ...(lens === undefined ? {} : { lens }),
    ...(typeof search.stage === 'string' ? { stage: search.stage } : {}),
    ...(tab === undefined ? {} : { tab }),
    ...(search.cancel === true ? { cancel: true } : {}),
    ...(act === undefined ? {} : { act }),
    ...(typeof search.on === 'string' ? { on: search.on } : {}),
  };
}
