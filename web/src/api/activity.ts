// What happened, over everything, a piece at a time: the server filters, and says where the next piece begins.

import { infiniteQueryOptions, keepPreviousData } from '@tanstack/react-query';
import { answer, client } from './client';
import { readExecution, type Execution } from './execution';
import { readOperation, type Operation } from './operations';
import { readTold, type Told } from './notifications';
import { list, map, number, optText, text } from './read';

export const KINDS = ['run', 'task', 'repository', 'save', 'notification'] as const;
export type Kind = (typeof KINDS)[number];
export const RESULTS = ['well', 'failed', 'cancelled', 'running'] as const;
export type Result = (typeof RESULTS)[number];

/** What is asked for; times in milliseconds since 1970. */
export interface Wanted {
  who?: string | undefined;
  object?: string | undefined;
  kind?: Kind | undefined;
  result?: Result | undefined;
  from?: number | undefined;
  to?: number | undefined;
}

export interface Saved {
  /** `application`, `pipeline`, `project`, `template`, `notification`. */
  thing: string;
  id: string;
  application: string;
  name: string;
  revision: number;
  deleted: boolean;
}

/** One entry: an execution, an operation, a save, or a notification that did not reach whom an execution was to tell. */
export interface Entry {
  at: number;
  /** Empty for nobody in particular. */
  who: string;
  kind: Kind;
  execution: Execution | undefined;
  operation: Operation | undefined;
  saved: Saved | undefined;
  notification: Told | undefined;
}

export interface Piece {
  entries: Entry[];
  /** Where the next piece begins; nothing at the end. */
  next: string | undefined;
}

function readSaved(value: unknown): Saved {
  const saved = map(value);
  return { thing: text(saved.thing), id: text(saved.id), application: text(saved.application), name: text(saved.name), revision: number(saved.revision), deleted: saved.deleted === true };
}

function readEntry(value: unknown): Entry {
  const entry = map(value);
  const some = <T>(part: unknown, read: (part: unknown) => T) => (part === null || part === undefined ? undefined : read(part));
  return {
    at: number(entry.at),
    who: text(entry.who),
    kind: KINDS.find((one) => one === entry.kind) ?? 'task',
    execution: some(entry.execution, readExecution),
    operation: some(entry.operation, readOperation),
    saved: some(entry.saved, readSaved),
    notification: some(entry.notification, readTold),
  };
}

export function readPiece(value: unknown): Piece {
  const piece = map(value);
  return { entries: list(piece.happenings).map(readEntry), next: optText(piece.next) };
}

async function ask(wanted: Wanted, next: string | undefined, limit: number, signal?: AbortSignal): Promise<Piece> {
  const given = Object.fromEntries(Object.entries({ ...wanted, next }).filter(([, value]) => value !== undefined));
  const more = signal === undefined ? {} : { signal };
  return readPiece(await answer(client.GET('/ui-api/activity', { params: { query: { ...given, limit } }, ...more })));
}

const EACH = 100;

export const activityQuery = (wanted: Wanted) =>
  infiniteQueryOptions({
    queryKey: ['activity', wanted],
    queryFn: ({ pageParam, signal }) => ask(wanted, pageParam, EACH, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next,
    placeholderData: keepPreviousData,
  });

/** Everything that fits, up to `most` entries. */
export async function allActivity(wanted: Wanted, most: number): Promise<Entry[]> {
  const found: Entry[] = [];
  let next: string | undefined;
  do {
    const piece = await ask(wanted, next, 1000);
    found.push(...piece.entries);
    next = piece.next;
  } while (next !== undefined && found.length < most);
  return found.slice(0, most);
}
