// The last lines that an instance has written, with the moment at which they were read: no event of the stream tells of new ones.

import { queryOptions } from '@tanstack/react-query';
import { answer, client } from './client';
import type { Log } from './overview';
import { list, map, text } from './read';

/** So many lines the server gives at most. */
const MOST = 500;

export interface Console {
  log: Log;
  readAt: number;
}

/** The output of a console: one text, or (of some clouds) one for each container. */
export function readConsole(value: unknown, now: number): Console {
  const output = map(value).output;
  const whole = Array.isArray(output) ? list(output).map((part) => text(map(part).output)).join('\n') : text(output);
  const lines = whole === '' ? [] : whole.replace(/\n$/, '').split('\n');
  return { log: { lines: lines.map((line, seq) => ({ seq, at: undefined, stage: undefined, text: line })), cut: lines.length >= MOST }, readAt: now };
}

export const consoleQuery = (account: string, region: string, id: string) =>
  queryOptions({
    queryKey: ['console', account, region, id],
    queryFn: async ({ signal }) =>
      readConsole(await answer(client.GET('/instances/{account}/{region}/{id}/console', { params: { path: { account, region, id } }, signal })), Date.now()),
  });
