// Whom the server tells: by what it can, whether one reaches somebody, and what became of those of a run.

import { queryOptions } from '@tanstack/react-query';
import { answer, client } from './client';
import { list, map, number, optNumber, optText, text, texts, type JsonMap } from './read';

/** The kinds of notifications that the server can send. They change with a start of the server only. */
export const notifierKindsQuery = () =>
  queryOptions({
    queryKey: ['notifiers'],
    queryFn: async ({ signal }) => texts(map(await answer(client.GET('/ui-api/notifiers', { signal }))).kinds),
    staleTime: Infinity,
  });

/** Sends a trial to where a notification goes; refused with the reason when it was not taken there. */
export async function sendTrial(notification: JsonMap): Promise<void> {
  await answer(client.POST('/ui-api/notifiers/test', { body: notification }));
}

/** Whom a run told what. */
export interface Told {
  id: string;
  /** The id of the stage that it is about; nothing for the run. */
  stage: string | undefined;
  event: string;
  kind: string;
  address: string;
  /** When it happened, in milliseconds since 1970. */
  at: number;
  /** When it is tried (again); nothing when nothing is left to do. */
  due: number | undefined;
  attempts: number;
  /** Why the latest try failed; nothing when it did not. */
  error: string | undefined;
}

export function readTold(value: unknown): Told {
  const told = map(value);
  return {
    id: text(told.id),
    stage: optText(told.stage),
    event: text(told.event),
    kind: text(told.kind),
    address: text(told.address),
    at: number(told.at),
    due: optNumber(told.due),
    attempts: number(told.attempts),
    error: optText(told.error),
  };
}

export const toldQuery = (run: string) =>
  queryOptions({
    queryKey: ['told', run],
    queryFn: async ({ signal }) => list(await answer(client.GET('/ui-api/executions/{id}/notifications', { params: { path: { id: run } }, signal }))).map(readTold),
  });
