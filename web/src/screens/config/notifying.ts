// The notifications of an application: its document as rows, one entry more, another or less, and what is wrong with one. Pure.

import { list, map, text, texts, type JsonMap } from '../../api/read';
import type { Texts } from '../../texts/en';
import { problemsOf, type Problem, type Problems } from '../../parts/problems';
import { addressOf, knownOf } from '../../parts/notifications';

export interface Entry {
  kind: string;
  /** Which of its kind. */
  at: number;
  notification: JsonMap;
}

/** All of all kinds: a kind is a key of the document, with a list. */
export function entriesOf(document: JsonMap): Entry[] {
  return Object.entries(document).flatMap(([kind, value]) =>
    list(value).flatMap((one, at) => (Object.keys(map(one)).length === 0 ? [] : [{ kind, at, notification: map(one) }])),
  );
}

/** As it stands in the address of the page: `email.0`; a kind alone is a new one. */
export function keyOf({ kind, at }: Entry): string {
  return `${kind}.${at}`;
}

/** The document with an entry in the place of another, at the end without one before it, and gone without one after it; nothing if the one before is
 *  not there (any more). Everything else stays as it is. */
export function replaced(document: JsonMap, kind: string, before: JsonMap | undefined, after: JsonMap | undefined): JsonMap | undefined {
  const all = list(document[kind]);
  const at = before === undefined ? all.length : all.findIndex((one) => JSON.stringify(one) === JSON.stringify(before));
  if (at < 0) return undefined;
  const next = [...all.slice(0, at), ...(after === undefined ? [] : [after]), ...all.slice(at + 1)];
  if (next.length > 0) return { ...document, [kind]: next };
  const { [kind]: _, ...without } = document;
  return without;
}

/** With another value for a field of one line; an empty one but the address goes. */
export function withLine(notification: JsonMap, key: string, typed: string): JsonMap {
  if (typed !== '' || key === 'address') return { ...notification, [key]: typed };
  const { [key]: _, ...without } = notification;
  return without;
}

const MAIL = /^[^\s@,]+@[^\s@,]+$/;
const REQUEST = /^https?:\/\/\S+$/i;

function addresses(kind: string, typed: string, t: Texts): Problem | undefined {
  // What an expression becomes is known in a run only.
  if (typed.includes('${')) return undefined;
  if (kind === 'email' && !typed.split(',').every((one) => MAIL.test(one.trim()))) return { why: t.config.wrong.email };
  if (kind === 'webhook' && !REQUEST.test(typed.trim())) return { why: t.config.notifications.noRequest };
  return undefined;
}

/** By field. A topic may have its name elsewhere and needs no address. */
export function wrongIn(kind: string, notification: JsonMap, t: Texts): Problems {
  const [address, cc] = [addressOf(notification), text(notification.cc)];
  const missing = address.trim() === '';
  return problemsOf({
    address: missing ? (text(notification.publisherName) === '' ? { why: t.config.notifications.noAddress, missing } : undefined) : addresses(kind, address, t),
    cc: cc.trim() === '' ? undefined : addresses(kind, cc, t),
    when: texts(notification.when).length === 0 ? { why: t.config.notifications.never } : undefined,
  });
}

/** What an entry has that no field shows. */
export function unseenOf(kind: string, notification: JsonMap, t: Texts): string[] {
  const known = knownOf(kind, t);
  return Object.keys(notification).filter((key) => !known.has(key));
}
