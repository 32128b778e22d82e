// Times and durations in words: the moment "now" is always given; exact times are in the chosen zone where none is.

import type { Texts } from '../texts/en';
import type { Language } from '../texts';
import { chosenZone } from './zone';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A duration in at most two units: `0.4s`, `7s`, `1m 04s`, `2h 05m`, `3d 4h`. */
export function duration(ms: number, t: Texts): string {
  const { s, m, h, d } = t.time;
  if (ms < SECOND) return ms < 50 ? `0${s}` : `${(ms / SECOND).toFixed(1)}${s}`;
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)}${s}`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}${m} ${two((ms % MINUTE) / SECOND)}${s}`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)}${h} ${two((ms % HOUR) / MINUTE)}${m}`;
  return `${Math.floor(ms / DAY)}${d} ${Math.floor((ms % DAY) / HOUR)}${h}`;
}

function two(value: number): string {
  return String(Math.floor(value)).padStart(2, '0');
}

/** How old a moment is, in its largest unit: `now`, `7s`, `4m`, `2h`, `3d`. A clock that runs ahead counts as now. */
export function age(at: number, now: number, t: Texts): string {
  const past = now - at;
  if (past < 2 * SECOND) return t.time.now;
  if (past < MINUTE) return `${Math.floor(past / SECOND)}${t.time.s}`;
  if (past < HOUR) return `${Math.floor(past / MINUTE)}${t.time.m}`;
  if (past < DAY) return `${Math.floor(past / HOUR)}${t.time.h}`;
  return `${Math.floor(past / DAY)}${t.time.d}`;
}

/** `age` as a phrase: `4m ago`. */
export function ago(at: number, now: number, t: Texts): string {
  const past = age(at, now, t);
  return past === t.time.now ? past : t.time.ago(past);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Making a format takes a hundred times as long as using it, and a list has a moment in each row: each is made once. */
function formatOf(locale: string, zone: string | undefined, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale} ${zone ?? ''} ${options.year ?? ''}`;
  const known = formats.get(key) ?? new Intl.DateTimeFormat(locale, { ...options, hourCycle: 'h23', ...(zone === undefined ? {} : { timeZone: zone }) });
  formats.set(key, known);
  return known;
}

const CLOCK: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit' };
const EXACT: Intl.DateTimeFormatOptions = { year: 'numeric', month: '2-digit', day: '2-digit', ...CLOCK, timeZoneName: 'short' };

/** The exact moment, for a title or an exact column: `2026-03-01 14:05:09` in the chosen zone, with the zone's name. */
export function exact(at: number, language: Language, zone = chosenZone()): string {
  const parts = formatOf(language, zone, EXACT).formatToParts(new Date(at));
  // Korean leaves out the leading zero of minutes and seconds even where two digits are asked for.
  const of = (type: Intl.DateTimeFormatPartTypes) => (parts.find((part) => part.type === type)?.value ?? '').padStart(2, '0');
  return `${of('year')}-${of('month')}-${of('day')} ${of('hour')}:${of('minute')}:${of('second')} ${of('timeZoneName')}`;
}

/** Only the clock: `14:05:09`. */
export function clock(at: number, zone = chosenZone()): string {
  return formatOf('en-GB', zone, CLOCK).format(new Date(at));
}
