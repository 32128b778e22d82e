// Rows of lists in the document: which they are, what they say of the whole to a screen reader, and the keys that walk them.

import { isField, letterOf } from './field';

const ROW = 'data-row';

/** The rows of a list that are drawn, from the top. */
export function rowsOf(box: HTMLElement): HTMLElement[] {
  return ([...box.children] as HTMLElement[]).filter((child) => !child.classList.contains('gap'));
}

/** Whether it takes room at all: what is folded away has no heights. */
export function isShown(element: Element): boolean {
  return element.getClientRects().length > 0;
}

/**
 * Marks the drawn rows for the keys, and where others are left out, says which of how many each is. `places` are their places in the list, `all`
 * is how long the list is when it is not there as a whole.
 */
export function markRows(box: HTMLElement, places: number[], all: number | undefined, walked: boolean): void {
  const table = box.closest('table, [role=table]');
  // The line of headings counts.
  set(table, 'aria-rowcount', all === undefined ? undefined : all + 1);
  rowsOf(box).forEach((row, nth) => {
    const at = places[nth];
    const place = all === undefined || at === undefined ? undefined : at;
    row.toggleAttribute(ROW, walked);
    if (table !== null) set(row, 'aria-rowindex', place === undefined ? undefined : place + 2);
    else if (row.localName === 'li') {
      set(row, 'aria-setsize', place === undefined ? undefined : all);
      set(row, 'aria-posinset', place === undefined ? undefined : place + 1);
    }
  });
}

function set(element: Element | null, name: string, value: number | undefined): void {
  if (value === undefined) element?.removeAttribute(name);
  else element?.setAttribute(name, String(value));
}

/** What a row is opened with: its first link or button. */
function mainOf(row: Element): HTMLElement | null {
  return row.querySelector<HTMLElement>('a[href], button:not(:disabled)');
}

/** How far a key leads: `j` and `k` from everywhere where nobody types, arrows from a row to the next. */
export function stepOf(event: KeyboardEvent): 1 | -1 | undefined {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || isField(event.target)) return undefined;
  const letter = letterOf(event);
  if (letter === 'j') return 1;
  if (letter === 'k') return -1;
  const row = event.target instanceof Element ? event.target.closest(`[${ROW}]`) : null;
  if (row === null || mainOf(row) !== event.target) return undefined;
  return event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : undefined;
}

/** Moves the focus to the next row or the one before, beginning with the first that is in the window. `look` draws what is near the window. */
export function walkRows(step: 1 | -1, look: () => void): boolean {
  const from = document.activeElement?.closest<HTMLElement>(`[${ROW}]`) ?? null;
  if (from !== null) {
    // One may have scrolled far away: its neighbours are drawn when it is back in the window.
    from.scrollIntoView({ block: 'nearest' });
    look();
  }
  const rows = [...document.querySelectorAll<HTMLElement>(`main [${ROW}]`)].filter((row) => mainOf(row) !== null);
  const next = from === null ? rows.find((row) => row.getBoundingClientRect().top >= 0) : rows[rows.indexOf(from) + step];
  const main = next === undefined ? null : mainOf(next);
  if (next === undefined || main === null) return false;
  main.focus({ preventScroll: true });
  // A row that is higher than the window is shown from its head.
  (next.clientHeight > window.innerHeight / 2 ? main : next).scrollIntoView({ block: 'nearest' });
  return true;
}
