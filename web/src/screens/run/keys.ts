// One key for each lens, wherever nothing is being typed.

import { useEffect, useRef } from 'react';
import { KEYS, LENSES, type Lens } from './views';

/** The lens that a key press asks for; none while something is typed, a dialog is open, or another key is held. */
export function lensOf(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'isComposing' | 'defaultPrevented'>, target: EventTarget | null): Lens | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return undefined;
  if (target instanceof Element && target.closest('input:not([type=checkbox]), select, textarea, dialog, [contenteditable=true]') !== null) return undefined;
  return LENSES.find((lens) => KEYS[lens] === event.key);
}

export function useLensKeys(onLens: (lens: Lens) => void): void {
  const latest = useRef(onLens);
  latest.current = onLens;
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const lens = document.querySelector('dialog[open]') === null ? lensOf(event, event.target) : undefined;
      if (lens !== undefined) latest.current(lens);
    };
    window.addEventListener('keydown', pressed);
    return () => window.removeEventListener('keydown', pressed);
  }, []);
}
