// Where one went by the palette, the last first: kept on this machine.

import { list, map, text } from '../api/read';
import type { Drawing } from '../parts/icons';
import type { Entry, Group } from './entries';

const KEPT = 'gennaker.recent';
const MOST = 6;

export function readRecent(kept: string | null): Entry[] {
  try {
    return list(JSON.parse(kept ?? '[]')).flatMap((value) => {
      const one = map(value);
      const to = text(one.to);
      // Only a path of this page: what is kept is not trusted more than an address.
      if (!to.startsWith('/') || to.startsWith('//') || text(one.title) === '') return [];
      return [{ group: text(one.group) as Group, key: text(one.key), title: text(one.title), detail: text(one.detail), drawing: text(one.drawing) as Drawing, to }];
    });
  } catch {
    return [];
  }
}

export function recent(): Entry[] {
  return readRecent(localStorage.getItem(KEPT));
}

/** Puts one to the front; only what leads somewhere and is no screen of the page itself. */
export function withRecent(before: Entry[], chosen: Entry): Entry[] {
  const one = { ...chosen, key: chosen.key.replace(/^recent /, '') };
  if (one.to === undefined || one.group === 'screens' || one.group === 'actions') return before;
  return [one, ...before.filter((other) => other.key !== one.key)].slice(0, MOST);
}

export function remember(chosen: Entry): void {
  try {
    localStorage.setItem(KEPT, JSON.stringify(withRecent(recent(), chosen)));
  } catch {
    // A full or forbidden store: then nothing is remembered.
  }
}
