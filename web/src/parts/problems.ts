// What is wrong with what was typed into a form, in the words of the server's validator. Pure.

import type { Texts } from '../texts/en';

export interface Problem {
  why: string;
  /** Nothing was typed yet: said only once somebody wants to go on. */
  missing?: boolean;
}

/** By field; a field without an entry is fine. */
export type Problems = Record<string, Problem>;

/** Those that are there. */
export function problemsOf(all: Record<string, Problem | undefined>): Problems {
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, Problem] => entry[1] !== undefined));
}

export function needed(value: string, why: string): Problem | undefined {
  return value.trim() === '' ? { why, missing: true } : undefined;
}

export interface Range {
  min: number;
  max?: number;
  whole?: boolean;
  /** Empty says nothing, and may. */
  optional?: boolean;
}

export function numeric(value: string, { min, max, whole, optional }: Range, t: Texts): Problem | undefined {
  const word = value.trim();
  const why = whole ? t.wizards.wholeNumber(min, max) : t.wizards.number(min, max);
  if (word === '') return optional ? undefined : { why, missing: true };
  const found = Number(word);
  const fits = /^\d+([.]\d+)?$/.test(word) && (!whole || Number.isInteger(found)) && found >= min && (max === undefined || found <= max);
  return fits ? undefined : { why };
}

const PLAIN = /[^A-Za-z0-9._]/u;
const WITH_HYPHEN = /[^A-Za-z0-9._-]/u;

/** A part of a name: letters, digits, dot and underscore, for some a hyphen, and no sign to begin with. */
export function plainName(part: string, text: string, hyphen: boolean, t: Texts): Problem | undefined {
  const found = (hyphen ? WITH_HYPHEN : PLAIN).exec(text)?.[0];
  if (found !== undefined) return { why: t.wizards.notAllowed(part, text, found, hyphen) };
  if (text !== '' && !/^[A-Za-z0-9]/.test(text)) return { why: t.wizards.badStart(part, text) };
  if (text.length > 120) return { why: t.wizards.tooLong(text, 120) };
  return undefined;
}

/** The name of something that belongs to an application and says so: `hello`, `hello-…`. */
export function ownedName(part: string, application: string, text: string, t: Texts): Problem | undefined {
  const bad = needed(text, t.wizards.needed) ?? plainName(part, text, true, t);
  if (bad !== undefined) return bad;
  return text === application || text.startsWith(`${application}-`) ? undefined : { why: t.wizards.beginsWith(application) };
}

const ADDRESS = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f:.]*:[0-9a-f:.]*)(\/\d{1,3})?$/i;

/** An address, or a network with its prefix. */
export function network(text: string, t: Texts): Problem | undefined {
  const [address = '', prefix] = text.split('/');
  const most = address.includes(':') ? 128 : 32;
  const fits = ADDRESS.test(text) && (prefix === undefined || Number(prefix) <= most) && (address.includes(':') || address.split('.').every((part) => Number(part) <= 255));
  return fits ? undefined : { why: t.wizards.noNetwork(text) };
}
