// The field in the top bar that opens the palette, and the keys that open it from everywhere.

import { useEffect, useState } from 'react';
import { isField } from '../parts/field';
import { chooseZone, useZone, zonesOffered } from '../parts/zone';
import { Draw } from '../parts/icons';
import { useLanguage } from '../texts';
import { Palette } from './palette';
import { THEMES, useTheme } from './theme';

/** What a key press asks for: `Ctrl K` everywhere, `/` where nobody types. */
export function opens(event: { key: string; code: string; ctrlKey: boolean; metaKey: boolean; altKey: boolean; isComposing: boolean; target: EventTarget | null }): boolean {
  if (event.isComposing || event.altKey) return false;
  // By the key's place too: with a Korean keyboard it writes ㅏ.
  if (event.ctrlKey || event.metaKey) return event.key.toLowerCase() === 'k' || event.code === 'KeyK';
  return event.key === '/' && !isField(event.target);
}

/** The one after `now`; the first after the last. */
function next<T>(all: readonly T[], now: T): T | undefined {
  return all[(all.indexOf(now) + 1) % all.length];
}

export function Finder() {
  const { t, language, speak } = useLanguage();
  const [theme, setTheme] = useTheme();
  const zone = useZone();
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      if (!opens(event)) return;
      // Over another dialog there is no second one; the browser's own search bar stays closed all the same.
      event.preventDefault();
      if (document.querySelector('dialog[open]:not(.palette)') === null) setOpen((was) => (event.key === '/' ? true : !was));
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, []);
  const act = (name: string) => {
    if (name === 'theme') setTheme(next(THEMES, theme) ?? 'system');
    if (name === 'language') speak(language === 'en' ? 'ko' : 'en');
    if (name === 'zone') chooseZone(next(zonesOffered(), zone) ?? 'own');
    if (name === 'copy') void navigator.clipboard?.writeText(location.href).catch(() => undefined);
  };
  return (
    <>
      <button type="button" className="finder" onClick={() => setOpen(true)} aria-haspopup="dialog" aria-keyshortcuts="Control+K /" title={`${t.palette.open} (Ctrl K, /)`} data-finder>
        <Draw what="search" />
        <span className="finder-word">{t.palette.open}</span>
        <kbd>Ctrl K</kbd>
      </button>
      {open && <Palette onClose={() => setOpen(false)} onAct={act} />}
    </>
  );
}
