// A field that filters what is below it. What is typed counts at once; it goes into the address when the typing rests, for an address that
// changes with every key is slow, and may end the composition of a syllable.

import { useDeferredValue, useEffect, useRef, useState, type InputHTMLAttributes, type ReactNode } from 'react';

/** So long typing rests before it goes into the address, in milliseconds. */
const REST = 200;

interface Asked {
  /** What the address says. */
  kept: string | undefined;
  /** What the field is called. */
  label: string;
  /** Puts what was typed into the address; nothing for nothing. */
  keep: (typed: string | undefined) => void;
  /** What else the field has. */
  more?: InputHTMLAttributes<HTMLInputElement>;
}

/** What is to be filtered by now, and the field. */
export function useFilter({ kept = '', label, keep, more }: Asked): [typed: string, field: ReactNode] {
  const [typed, setTyped] = useState(kept);
  const [was, setWas] = useState(kept);
  const written = useRef(kept);
  const latest = useRef(keep);
  // Somebody went back or followed a link; what this field wrote itself is no news.
  if (kept !== was) {
    setWas(kept);
    if (kept !== written.current) setTyped(kept);
  }
  useEffect(() => {
    latest.current = keep;
  });
  useEffect(() => {
    if (typed === kept) {
      written.current = kept;
      return undefined;
    }
    const timer = setTimeout(() => {
      written.current = typed;
      latest.current(typed === '' ? undefined : typed);
    }, REST);
    return () => clearTimeout(timer);
  }, [typed, kept]);
  const field = <input className="field" type="search" value={typed} placeholder={label} aria-label={label} {...more} onChange={(event) => setTyped(event.target.value)} />;
  return [useDeferredValue(typed), field];
}
