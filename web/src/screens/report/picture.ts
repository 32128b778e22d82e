// Where everything in the picture of a deployment goes: seconds, stacked layers, ticks, marks. Pure; drawn in picture.tsx.

import type { BalancerPart, GroupPart, Step } from '../../api/report';
import { SECOND, type Span } from '../../parts/axis';

/** The old below, what replaces it above: so one sees the traffic pass from one to the other. */
const ORDER = ['other', 'old', 'baseline', 'canary', 'new'];

export function stacked(groups: GroupPart[]): GroupPart[] {
  return [...groups].sort((a, b) => ORDER.indexOf(a.role) - ORDER.indexOf(b.role) || a.name.localeCompare(b.name));
}

/** From the first second that was measured to the end of the last one, the steps included. */
export function spanOf(balancers: BalancerPart[], steps: Step[]): Span {
  const at = balancers.flatMap((one) => [...one.groups.flatMap((group) => group.seconds.map((second) => second.at)), ...one.unserved.map((second) => second.at)]);
  const moments = [...at, ...steps.map((step) => step.startTime)];
  if (moments.length === 0) return { from: 0, to: SECOND };
  const from = Math.floor(moments.reduce((a, b) => Math.min(a, b)) / SECOND) * SECOND;
  const to = moments.reduce((a, b) => Math.max(a, b)) + SECOND;
  return { from, to: Math.max(from + SECOND, Math.ceil(to / SECOND) * SECOND) };
}

/** All seconds of a span, also those in which nobody came. */
export function secondsOf({ from, to }: Span): number[] {
  return Array.from({ length: Math.min(86_400, Math.round((to - from) / SECOND)) }, (_, at) => from + at * SECOND);
}

/** What one group has in each of the seconds; nothing where nobody came. */
export function bySecond<T extends { at: number }>(seconds: number[], of: T[]): (T | undefined)[] {
  const known = new Map(of.map((second) => [second.at, second]));
  return seconds.map((at) => known.get(at));
}

export interface Layer {
  group: GroupPart;
  /** For each second the lower and the upper edge, in requests. */
  edges: [number, number][];
}

/** The groups one upon the other. */
export function layersOf(groups: GroupPart[], seconds: number[]): Layer[] {
  const ground = seconds.map(() => 0);
  return stacked(groups).map((group) => {
    const own = bySecond(seconds, group.seconds);
    const edges = own.map((second, at): [number, number] => {
      const low = ground[at] ?? 0;
      const high = low + (second?.requests ?? 0);
      ground[at] = high;
      return [low, high];
    });
    return { group, edges };
  });
}

/** The outline of a layer: a step a second, forth along the upper edge and back along the lower one. */
export function areaPath(edges: [number, number][], x: (index: number) => number, y: (value: number) => number): string {
  if (edges.length === 0) return '';
  const upper = edges.map(([, high], at) => `${at === 0 ? `M${r(x(0))} ${r(y(high))}` : `V${r(y(high))}`}H${r(x(at + 1))}`);
  const lower = [...edges].reverse().map(([low], back) => `V${r(y(low))}H${r(x(edges.length - 1 - back))}`);
  return `${upper.join('')}${lower.join('')}Z`;
}

/** A line through the middles of the seconds, broken where nothing was measured. */
export function linePath(values: (number | undefined)[], x: (index: number) => number, y: (value: number) => number): string {
  let path = '';
  values.forEach((value, at) => {
    if (value === undefined) return;
    const before = values[at - 1] !== undefined;
    const alone = !before && values[at + 1] === undefined;
    const [left, right] = [r(x(at)), r(x(at + 1))];
    const middle = r((left + right) / 2);
    if (alone) path += `M${left} ${r(y(value))}H${right}`;
    else path += `${before ? 'L' : 'M'}${middle} ${r(y(value))}`;
  });
  return path;
}

function r(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Round numbers from 0 up to at least the greatest: about so many. */
export function ticks(greatest: number, about: number): number[] {
  if (greatest <= 0) return [0, 1];
  const raw = greatest / about;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = Math.max(1, [1, 2, 5, 10].map((one) => one * power).find((one) => one >= raw) ?? raw);
  const found = [];
  for (let at = 0; at < greatest + step; at += step) found.push(Math.round(at * 1000) / 1000);
  return found;
}

/** Powers of ten (in microseconds) around the given values. */
export function decades(values: number[]): number[] {
  const known = values.filter((value) => value > 0);
  if (known.length === 0) return [100, 1000];
  const low = Math.floor(Math.log10(known.reduce((a, b) => Math.min(a, b))));
  const high = Math.max(low + 1, Math.ceil(Math.log10(known.reduce((a, b) => Math.max(a, b)))));
  return Array.from({ length: high - low + 1 }, (_, at) => 10 ** (low + at));
}

export interface Mark {
  x: number;
  /** The numbers of the steps that begin here, from 1. */
  numbers: number[];
  text: string;
  /** The line on which its number stands. */
  row: number;
  /** Whether there is room for its words beside the number. */
  words: boolean;
}

const NEAR = 14;
const LETTER = 6.4;

/** The steps as marks: those that begin together share one, each stands a line lower than the one before, and words without room are left out. */
export function marksOf(steps: Step[], x: (at: number) => number, width: number, rows: number): Mark[] {
  const marks: Mark[] = [];
  steps.forEach((step, at) => {
    const here = x(step.startTime);
    const last = marks[marks.length - 1];
    if (last !== undefined && here - last.x < NEAR) {
      last.numbers.push(at + 1);
      last.text = `${last.text}, ${step.name}`;
    } else marks.push({ x: here, numbers: [at + 1], text: step.name, row: marks.length % rows, words: false });
  });
  marks.forEach((mark, at) => {
    const end = marks[at + rows]?.x ?? width;
    mark.words = mark.x + (mark.text.length + numbersText(mark.numbers).length + 2) * LETTER < end;
  });
  return marks;
}

/** `3`, or `1–2`. */
export function numbersText(numbers: number[]): string {
  const [first, last] = [numbers[0] ?? 0, numbers[numbers.length - 1] ?? 0];
  return first === last ? String(first) : `${first}–${last}`;
}

/** Failures of each second, those that found no instance included. */
export function failuresBySecond(balancer: BalancerPart, seconds: number[]): number[] {
  const sum = new Map<number, number>();
  const add = (at: number, count: number) => sum.set(at, (sum.get(at) ?? 0) + count);
  for (const group of balancer.groups) for (const second of group.seconds) add(second.at, second.failures);
  for (const second of balancer.unserved) add(second.at, second.requests);
  return seconds.map((at) => sum.get(at) ?? 0);
}
