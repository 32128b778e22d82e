// Which rows of a long list are drawn, and how high the gaps are that stand for the others. Pure.

/** Rows from `from` to before `to`. */
export interface Range {
  from: number;
  to: number;
}

/** A row by its place, or a gap of so many pixels in place of the rows from `from` on. */
export type Piece = { at: number } | { gap: number; from: number };

/** Where each row begins, and at last where the list ends. */
export function topsOf(count: number, heightOf: (at: number) => number): Float64Array {
  const tops = new Float64Array(count + 1);
  for (let at = 0; at < count; at++) tops[at + 1] = (tops[at] ?? 0) + heightOf(at);
  return tops;
}

/** The row at a height: the first above the list, the last below it. */
export function rowAt(tops: Float64Array, y: number): number {
  let low = 0;
  let high = Math.max(0, tops.length - 2);
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((tops[middle + 1] ?? 0) > y) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** The rows that are between two heights. */
export function between(tops: Float64Array, top: number, bottom: number): Range {
  if (tops.length < 2) return { from: 0, to: 0 };
  return { from: rowAt(tops, top), to: rowAt(tops, bottom) + 1 };
}

export function covers(outer: Range, inner: Range): boolean {
  return outer.from <= inner.from && outer.to >= inner.to;
}

/** A range that fits a list that has become shorter: it keeps its length where it can. */
export function clamped({ from, to }: Range, count: number): Range {
  const length = Math.min(to - from, count);
  const end = Math.min(to, count);
  return { from: Math.max(0, end - length), to: end };
}

/** The rows of a range and one that is held besides (it has the focus), with the gaps around them, from the top to the bottom. */
export function piecesOf(tops: Float64Array, range: Range, held: number | undefined): Piece[] {
  const count = tops.length - 1;
  const runs = [range];
  if (held !== undefined && held < count && (held < range.from || held >= range.to)) runs.push({ from: held, to: held + 1 });
  runs.sort((a, b) => a.from - b.from);
  const pieces: Piece[] = [];
  let done = 0;
  const gapTo = (to: number) => {
    if (to > done) pieces.push({ gap: (tops[to] ?? 0) - (tops[done] ?? 0), from: done });
  };
  for (const { from, to } of runs) {
    gapTo(from);
    for (let at = from; at < to; at++) pieces.push({ at });
    done = to;
  }
  gapTo(count);
  return pieces;
}
