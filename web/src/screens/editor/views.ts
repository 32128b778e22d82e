// What of the editor stands in the address: the selected stage (none: the pipeline as a whole), form or JSON, the panel beside it, a version of the history.

export const VIEWS = ['form', 'json'] as const;
export type View = (typeof VIEWS)[number];

export const PANELS = ['problems', 'plan', 'history'] as const;
export type Panel = (typeof PANELS)[number];

export interface EditorSearch {
  stage?: string;
  view?: View;
  panel?: Panel;
  version?: number;
}

/** What an address says, without what it may not say. */
export function readEditorSearch(search: Record<string, unknown>): EditorSearch {
  const view = VIEWS.find((one) => one === search.view);
  const panel = PANELS.find((one) => one === search.panel);
  const { stage, version } = search;
  return {
    ...(typeof stage === 'string' || typeof stage === 'number' ? { stage: String(stage) } : {}),
    ...(view === undefined ? {} : { view }),
    ...(panel === undefined ? {} : { panel }),
    ...(typeof version === 'number' && Number.isInteger(version) ? { version } : {}),
  };
}
