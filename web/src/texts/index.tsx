// The two languages of the page, which one is in force, and the hook that hands a component its texts.

import { createContext, useCallback, useContext, useEffect, useMemo, useState, type ReactNode } from 'react';
import { en, type Texts } from './en';
import { ko } from './ko';

export const languages = { en, ko } satisfies Record<string, Texts>;
export type Language = keyof typeof languages;

/** What each language calls itself. */
export const languageNames: Record<Language, string> = { en: 'English', ko: '한국어' };

const KEPT = 'gennaker.language';

/** The language to begin with: the one chosen before, else the first of the browser's that we speak, else English. */
export function firstLanguage(kept: string | null, wanted: readonly string[]): Language {
  for (const tag of kept === null ? wanted : [kept, ...wanted]) {
    const short = tag.toLowerCase().split('-')[0];
    if (short === 'en' || short === 'ko') return short;
  }
  return 'en';
}

interface Spoken {
  language: Language;
  t: Texts;
  speak: (language: Language) => void;
}

const Current = createContext<Spoken>({ language: 'en', t: en, speak: () => undefined });

export function Speaking({ children, start }: { children: ReactNode; start?: Language }) {
  const [language, setLanguage] = useState<Language>(() => start ?? firstLanguage(localStorage.getItem(KEPT), navigator.languages));
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const speak = useCallback((next: Language) => {
    localStorage.setItem(KEPT, next);
    setLanguage(next);
  }, []);
  const spoken = useMemo(() => ({ language, t: languages[language], speak }), [language, speak]);
  return <Current.Provider value={spoken}>{children}</Current.Provider>;
}

/** The texts in the language in force. */
export function useTexts(): Texts {
  return useContext(Current).t;
}

export function useLanguage(): Spoken {
  return useContext(Current);
}
