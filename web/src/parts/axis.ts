// A time axis: where to write which moment, counted from a beginning. Pure.

import type { Texts } from '../texts/en';

export const SECOND = 1000;

export interface Span {
  from: number;
  to: number;
}

const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600].map((seconds) => seconds * SECOND);

/** Moments to write at the time axis, counted from `zero`: at most so many. */
export function timeTicks({ from, to }: Span, zero: number, most: number): number[] {
  const step = TIME_STEPS.find((one) => (to - from) / one <= most) ?? 86_400 * SECOND;
  const found = [];
  for (let at = Math.ceil((from - zero) / step) * step; at + zero <= to; at += step) found.push(at + zero);
  return found;
}

/** A moment counted from the start: `0s`, `+7s`, `−5s`, `+1m 04s`, `+2m`. */
export function offset(ms: number, t: Texts): string {
  const sign = ms < 0 ? '−' : ms > 0 ? '+' : '';
  const seconds = Math.round(Math.abs(ms) / 100) / 10;
  if (seconds < 60) return `${sign}${Number.isInteger(seconds) ? seconds : seconds.toFixed(1)}${t.time.s}`;
  const whole = Math.round(seconds);
  const minutes = `${sign}${Math.floor(whole / 60)}${t.time.m}`;
  return whole % 60 === 0 ? minutes : `${minutes} ${String(whole % 60).padStart(2, '0')}${t.time.s}`;
}
