// Light, dark, or as the system: kept on this machine, set on the root element. The colours themselves are in tokens.css.

import { useCallback, useEffect, useState } from 'react';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEPT = 'gennaker.theme';

export function firstTheme(kept: string | null): Theme {
  return THEMES.find((theme) => theme === kept) ?? 'system';
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(() => firstTheme(localStorage.getItem(KEPT)));
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }, [theme]);
  const choose = useCallback((next: Theme) => {
    localStorage.setItem(KEPT, next);
    setTheme(next);
  }, []);
  return [theme, choose];
}
