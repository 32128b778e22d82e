// Light, dark, or as the system: kept on this machine, set on the root element. The colours themselves are in tokens.css.

import { useCallback, useSyncExternalStore } from 'react';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEPT = 'gennaker.theme';

export function firstTheme(kept: string | null): Theme {
  return THEMES.find((theme) => theme === kept) ?? 'system';
}

const listeners = new Set<() => void>();
let chosen: Theme | undefined;

function current(): Theme {
  if (chosen === undefined) show(firstTheme(localStorage.getItem(KEPT)));
  return chosen ?? 'system';
}

function show(theme: Theme): void {
  chosen = theme;
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

function listen(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The theme, the same wherever it is asked for, and how it is changed. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const theme = useSyncExternalStore(listen, current);
  const choose = useCallback((next: Theme) => {
    localStorage.setItem(KEPT, next);
    show(next);
    for (const one of listeners) one();
  }, []);
  return [theme, choose];
}
