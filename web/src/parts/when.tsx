// Moments and durations that tick: relative in the text, exact on hover and focus.

import { useSyncExternalStore } from 'react';
import { useLanguage } from '../texts';
import { ago, duration, exact } from './time';
import { useZone } from './zone';

// One clock for the whole page, second by second, running only while something shows it.
const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function listen(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const one of listeners) one();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0 && timer !== undefined) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** The time of now, renewed every second. */
export function useNow(): number {
  return useSyncExternalStore(listen, () => now);
}

/** A text that time changes: who shows it is drawn anew only when it reads otherwise. */
function useTicking(say: (now: number) => string): string {
  return useSyncExternalStore(listen, () => say(now));
}

export function Ago({ at }: { at: number | undefined }) {
  const { t, language } = useLanguage();
  const said = useTicking((present) => (at === undefined ? '' : ago(at, present, t)));
  useZone();
  if (at === undefined) return <span className="faint">–</span>;
  return (
    <time dateTime={new Date(at).toISOString()} title={exact(at, language)}>
      {said}
    </time>
  );
}

/** A moment to come: `say` puts how long it is until then into words. */
export function Until({ at, say }: { at: number; say: (left: string) => string }) {
  const { t, language } = useLanguage();
  const said = useTicking((present) => say(duration(Math.max(0, at - present), t)));
  useZone();
  return (
    <time dateTime={new Date(at).toISOString()} title={exact(at, language)}>
      {said}
    </time>
  );
}

export function Took({ from, to }: { from: number | undefined; to: number | undefined }) {
  const { t, language } = useLanguage();
  const said = useTicking((present) => (from === undefined ? '' : duration(Math.max(0, (to ?? present) - from), t)));
  useZone();
  if (from === undefined) return <span className="faint">–</span>;
  return <span title={exact(from, language)}>{said}</span>;
}
