// What of all that happened is asked for, how it is shown by days, and the same as a CSV file. Pure.

import { KINDS, RESULTS, type Wanted } from '../../api/activity';
import { exact } from '../../parts/time';
import { dayBegins } from '../../parts/zone';
import type { Language } from '../../texts';
import type { Texts } from '../../texts/en';
import type { Happening } from './events';

export interface Filter {
  who?: string | undefined;
  object?: string | undefined;
  kind?: string | undefined;
  result?: string | undefined;
  /** Days, as in 2026-03-01, in the chosen zone. */
  from?: string | undefined;
  to?: string | undefined;
}

const DAY = 24 * 60 * 60 * 1000;

/** What the server is asked for; what no filter can mean is left out. */
export function wantedOf(filter: Filter, zone: string | undefined): Wanted {
  const last = dayBegins(filter.to ?? '', zone);
  return {
    who: filter.who,
    object: filter.object,
    kind: KINDS.find((one) => one === filter.kind),
    result: RESULTS.find((one) => one === filter.result),
    from: dayBegins(filter.from ?? '', zone),
    to: last === undefined ? undefined : last + DAY,
  };
}

/** Everybody who did something, by name. */
export function people(all: Happening[]): string[] {
  return [...new Set(all.map((one) => one.who))].sort((a, b) => a.localeCompare(b));
}

/** In days, each with its date. */
export function byDay(all: Happening[], language: Language): { day: string; happenings: Happening[] }[] {
  const days: { day: string; happenings: Happening[] }[] = [];
  for (const one of all) {
    const day = exact(one.at, language).slice(0, 10);
    const last = days[days.length - 1];
    if (last?.day === day) last.happenings.push(one);
    else days.push({ day, happenings: [one] });
  }
  return days;
}

/** One cell: quoted where it must be; what a spreadsheet would take for a formula is made a text. */
export function cell(value: string): string {
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A CSV file after RFC 4180, times in UTC, with a mark at its beginning so that spreadsheets read Hangul. */
export function csv(all: Happening[], t: Texts): string {
  const head = ['time', 'who', 'kind', 'object', 'what', 'detail', 'result'];
  const rows = all.map((one) => [new Date(one.at).toISOString(), one.who, t.activity.kinds[one.kind], one.object, one.what, one.detail, one.said.word]);
  return `\uFEFF${[head, ...rows].map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
}
