// The difference of two texts, line by line: pure. Myers' way of the fewest changes, with a bound for texts that have little in common.

export interface DiffLine {
  sign: ' ' | '+' | '-';
  text: string;
  /** The line's number in the old and in the new text, counted from 1. */
  before: number | undefined;
  after: number | undefined;
}

/** With more changes than this the rest is told as taken away and put in whole. */
const MOST_CHANGES = 600;

export function diffLines(before: string, after: string): DiffLine[] {
  const old = before === '' ? [] : before.split('\n');
  const now = after === '' ? [] : after.split('\n');
  let head = 0;
  while (head < old.length && head < now.length && old[head] === now[head]) head++;
  let tail = 0;
  while (tail < old.length - head && tail < now.length - head && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail++;
  const signs: DiffLine['sign'][] = [
    ...Array<' '>(head).fill(' '),
    ...changes(old.slice(head, old.length - tail), now.slice(head, now.length - tail)),
    ...Array<' '>(tail).fill(' '),
  ];
  let [a, b] = [0, 0];
  return signs.map((sign) => {
    const text = (sign === '+' ? now[b] : old[a]) ?? '';
    return { sign, text, before: sign === '+' ? undefined : ++a, after: sign === '-' ? undefined : ++b };
  });
}

function changes(old: string[], now: string[]): DiffLine['sign'][] {
  const [n, m] = [old.length, now.length];
  const reach = new Map<number, number>([[1, 0]]);
  const trail: Map<number, number>[] = [];
  const get = (from: Map<number, number>, k: number) => from.get(k) ?? -1;
  for (let d = 0; d <= Math.min(n + m, MOST_CHANGES); d++) {
    trail.push(new Map(reach));
    for (let k = -d; k <= d; k += 2) {
      let x = k === -d || (k !== d && get(reach, k - 1) < get(reach, k + 1)) ? get(reach, k + 1) : get(reach, k - 1) + 1;
      while (x < n && x - k < m && old[x] === now[x - k]) x++;
      reach.set(k, x);
      if (x >= n && x - k >= m) return walkBack(trail, n, m);
    }
  }
  return [...Array<'-'>(n).fill('-'), ...Array<'+'>(m).fill('+')];
}

function walkBack(trail: Map<number, number>[], n: number, m: number): DiffLine['sign'][] {
  const signs: DiffLine['sign'][] = [];
  let [x, y] = [n, m];
  for (let d = trail.length - 1; d >= 0; d--) {
    const reach = trail[d] ?? new Map<number, number>();
    const k = x - y;
    const down = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
    const last = down ? k + 1 : k - 1;
    const from = d === 0 ? 0 : (reach.get(last) ?? 0);
    const fromY = d === 0 ? 0 : from - last;
    while (x > from && y > fromY) {
      signs.push(' ');
      x--;
      y--;
    }
    if (d > 0) {
      signs.push(down ? '+' : '-');
      if (down) y--;
      else x--;
    }
  }
  return signs.reverse();
}

export type DiffPart = DiffLine | { skipped: number };

/** The changed lines with so many around them; what lies between is only counted. */
export function shortened(lines: DiffLine[], around = 3): DiffPart[] {
  const near = lines.map(() => false);
  lines.forEach((line, at) => {
    if (line.sign === ' ') return;
    for (let i = Math.max(0, at - around); i <= Math.min(lines.length - 1, at + around); i++) near[i] = true;
  });
  const parts: DiffPart[] = [];
  lines.forEach((line, at) => {
    const last = parts.at(-1);
    if (near[at] === true) parts.push(line);
    else if (last !== undefined && 'skipped' in last) last.skipped++;
    else parts.push({ skipped: 1 });
  });
  return parts;
}

export function counted(lines: DiffLine[]): { added: number; removed: number } {
  return { added: lines.filter((line) => line.sign === '+').length, removed: lines.filter((line) => line.sign === '-').length };
}
