// Numbers of a report as people read them: pure.

import type { Texts } from '../../texts/en';

/** Microseconds: `850 µs`, `1.8 ms`, `20 ms`, `1.2 s`. */
export function latency(us: number): string {
  if (us <= 0) return '–';
  if (us < 1000) return `${us} µs`;
  if (us < 10_000) return `${(us / 1000).toFixed(1)} ms`;
  if (us < 1_000_000) return `${Math.round(us / 1000)} ms`;
  return `${(us / 1_000_000).toFixed(1)} s`;
}

/** A moment counted from the start: `0s`, `+7s`, `−5s`, `+1m 04s`. */
export function offset(ms: number, t: Texts): string {
  const sign = ms < 0 ? '−' : ms > 0 ? '+' : '';
  const seconds = Math.round(Math.abs(ms) / 100) / 10;
  if (seconds < 60) return `${sign}${Number.isInteger(seconds) ? seconds : seconds.toFixed(1)}${t.time.s}`;
  const whole = Math.round(seconds);
  return `${sign}${Math.floor(whole / 60)}${t.time.m} ${String(whole % 60).padStart(2, '0')}${t.time.s}`;
}
