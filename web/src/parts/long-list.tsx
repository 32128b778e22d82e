// A list of any length. Of many rows only those near the window are in the document, with gaps of the right height for the others; a short list
// is there as a whole, so that the browser's own search finds everything. Rows know nothing of it: each is one element without outer margins.

import { Fragment, useEffect, useLayoutEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { flushSync } from 'react-dom';
import { between, clamped, covers, piecesOf, topsOf, type Range } from './long';
import { isShown, markRows, rowsOf } from './rows';
import './long-list.css';

/** Up to so many rows are there as a whole. */
const SHORT = 100;
/** How far beyond the window rows are drawn, in windows; they are drawn anew when less than half of that is left. */
const AHEAD = 1;

interface Props<T> {
  items: readonly T[];
  keyOf: (item: T) => string;
  /** The height of a row in pixels before it was seen. Where it is one number, the rows at the top correct it. */
  guess: number | ((item: T) => number);
  children: (item: T) => ReactNode;
  as?: 'div' | 'ul' | 'tbody';
  className?: string;
  role?: string;
  label?: string;
  short?: number;
  /** Whether keys walk its rows: see rows.ts. A list of lists leaves that to the inner ones. */
  walked?: boolean;
  /** The row that an address names: it is brought into the window when it is not there. */
  reveal?: string | undefined;
}

interface Drawn extends Range {
  /** The row with the focus: it stays in the document wherever one scrolls. */
  held: string | undefined;
}

function guessOf<T>(guess: Props<T>['guess'], item: T): number {
  return typeof guess === 'number' ? guess : guess(item);
}

/** As many rows from a place on as are as high as the window. */
function windowFrom(from: number, count: number, heightOf: (at: number) => number): Range {
  let to = from;
  for (let height = 0; to < count && height < window.innerHeight; to++) height += heightOf(to);
  return { from, to };
}

const looks = new Set<() => void>();

/** Draws at once what is near the window now. */
export function lookAtLists(): void {
  for (const look of [...looks]) look();
}

export function LongList<T>({ items, keyOf, guess, children, as: Box = 'div', className, role, label, short = SHORT, walked = true, reveal }: Props<T>) {
  const box = useRef<HTMLElement>(null);
  const heights = useRef(new Map<string, number>());
  const usual = useRef<number>(undefined);
  // Before it is known where the list stands: a window of rows from its top.
  const [drawn, setDrawn] = useState<Drawn>(() => ({ ...windowFrom(0, items.length, (at) => guessOf(guess, items[at] as T)), held: undefined }));
  // Counted up when a row has another height than was thought.
  const [corrected, setCorrected] = useState(0);
  const long = items.length > short;
  const tops = useMemo(() => {
    const heightOf = (at: number) => {
      const item = items[at] as T;
      return heights.current.get(keyOf(item)) ?? guessOf(usual.current ?? guess, item);
    };
    return topsOf(long ? items.length : 0, heightOf);
    // What `keyOf` and `guess` say of an item stays the same while the items do.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [items, long, corrected]);
  const range = clamped(drawn, items.length);
  const heldAt = long && drawn.held !== undefined ? items.findIndex((item) => keyOf(item) === drawn.held) : -1;
  const pieces = long ? piecesOf(tops, range, heldAt < 0 ? undefined : heldAt) : items.map((_, at) => ({ at }));
  const places = pieces.flatMap((piece) => ('at' in piece ? piece.at : []));

  /** Remembers how high the rows are that are drawn; whether one is of another height than was thought. */
  const measure = (rows: HTMLElement[]): boolean => {
    let other = false;
    const seen: number[] = [];
    rows.forEach((row, nth) => {
      const at = places[nth] ?? 0;
      const height = row.getBoundingClientRect().height;
      heights.current.set(keyOf(items[at] as T), height);
      seen.push(height);
      if (Math.abs(height - ((tops[at + 1] ?? 0) - (tops[at] ?? 0))) > 0.5) other = true;
    });
    // Only from the top: elsewhere everything above would move.
    if (other && typeof guess === 'number' && range.from === 0) usual.current ??= seen.sort((a, b) => a - b)[seen.length >> 1];
    return other;
  };

  const look = (draw: (change: () => void) => void) => {
    const element = box.current;
    if (element === null || !long || !isShown(element)) return;
    const rows = rowsOf(element);
    const top = -element.getBoundingClientRect().top;
    const near = (windows: number) => between(tops, top - windows * window.innerHeight, top + (1 + windows) * window.innerHeight);
    const focused = places[rows.findIndex((row) => row.contains(document.activeElement))];
    const held = focused === undefined ? undefined : keyOf(items[focused] as T);
    const enough = covers(range, near(AHEAD / 2)) && held === drawn.held;
    if (measure(rows)) setCorrected((times) => times + 1);
    if (!enough) draw(() => setDrawn({ ...near(AHEAD), held }));
  };
  const current = useRef(look);
  const revealed = useRef<string>(undefined);

  /** Brings the named row into the window, once; whether it has yet to be drawn for that. */
  const show = (element: HTMLElement): boolean => {
    if (reveal === undefined || reveal === revealed.current) return false;
    const place = items.findIndex((item) => keyOf(item) === reveal);
    if (place < 0) return false;
    const row = rowsOf(element)[places.indexOf(place)];
    if (row === undefined) {
      setDrawn((was) => ({ ...was, ...windowFrom(place, items.length, (at) => (tops[at + 1] ?? 0) - (tops[at] ?? 0)) }));
      return true;
    }
    revealed.current = reveal;
    const { top, bottom } = row.getBoundingClientRect();
    if (bottom < 0 || top > window.innerHeight) row.scrollIntoView({ block: 'nearest' });
    return false;
  };

  useLayoutEffect(() => {
    current.current = look;
    if (box.current === null) return;
    markRows(box.current, places, long ? items.length : undefined, walked);
    if (!show(box.current)) look((change) => change());
  });
  useEffect(() => {
    // Before the next picture: nothing of what is in the window may be missing in it.
    const again = () => current.current(flushSync);
    looks.add(again);
    // Scrolling is heard wherever it happens, for this listens on the way down.
    document.addEventListener('scroll', again, { capture: true, passive: true });
    window.addEventListener('resize', again);
    return () => {
      looks.delete(again);
      document.removeEventListener('scroll', again, { capture: true });
      window.removeEventListener('resize', again);
    };
  }, []);

  return (
    <Box ref={box as never} className={className} role={role} aria-label={label}>
      {pieces.map((piece) => {
        if ('gap' in piece) return <Gap key={piece.from === 0 ? 'above' : `below ${piece.from === range.to}`} of={Box} height={piece.gap} />;
        const item = items[piece.at] as T;
        return <Fragment key={`row ${keyOf(item)}`}>{children(item)}</Fragment>;
      })}
    </Box>
  );
}

function Gap({ of, height }: { of: 'div' | 'ul' | 'tbody'; height: number }) {
  if (of === 'div') return <div className="gap" aria-hidden="true" style={{ height }} />;
  if (of === 'ul') return <li className="gap" aria-hidden="true" style={{ height }} />;
  return (
    <tr className="gap" aria-hidden="true">
      <td colSpan={99} style={{ height }} />
    </tr>
  );
}
