// Asking again for what has become old, at the pace of the answers: a big answer that takes a second must not be asked for ten times in it, nor
// be given up each time before it is there.

import type { QueryKey } from './topics';

/** So long changes are gathered before the screens ask again, in milliseconds. */
const GATHER = 150;

/** What takes no longer than this is asked for again at once, in milliseconds. */
const QUICK = 250;

/** No answer is waited for longer than this, and no rest is longer than that. */
const PATIENCE = 5000;
const REST = 2000;

export interface Renewal {
  renew: (keys: QueryKey[]) => void;
  end: () => void;
}

/** `ask` asks again for everything below a key and is done when the answers are there. */
export function renewal(ask: (key: QueryKey) => Promise<unknown>, join: (keys: QueryKey[]) => QueryKey[]): Renewal {
  let waiting: QueryKey[] = [];
  let gather: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  /** Keys whose answers are on their way, or were a moment ago; those that have become old again meanwhile say so. */
  const busy = new Map<string, boolean>();

  const begin = (key: QueryKey) => {
    const name = key.join('\n');
    if (busy.has(name)) return void busy.set(name, true);
    busy.set(name, false);
    const from = Date.now();
    let isDone = false;
    const done = () => {
      if (isDone) return;
      isDone = true;
      clearTimeout(late);
      // What takes long is not asked for again until as long has passed: half of the time the page is free for the reader.
      const took = Date.now() - from;
      const rest = took > QUICK ? Math.min(took, REST) : 0;
      setTimeout(() => {
        const again = busy.get(name) === true;
        busy.delete(name);
        if (again && !ended) begin(key);
      }, rest);
    };
    // An answer that never comes must not keep its key from being asked for again.
    const late = setTimeout(done, PATIENCE);
    ask(key).then(done, done);
  };

  return {
    renew: (keys) => {
      waiting.push(...keys);
      gather ??= setTimeout(() => {
        gather = undefined;
        const now = join(waiting);
        waiting = [];
        for (const key of now) begin(key);
      }, GATHER);
    },
    end: () => {
      ended = true;
      clearTimeout(gather);
    },
  };
}
