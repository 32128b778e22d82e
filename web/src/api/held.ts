// What must not come: releases that a cluster was rolled back from.

import { queryOptions } from '@tanstack/react-query';
import { curl, quoted, type Said } from './actions';
import { answer, client } from './client';
import { list, map, optNumber, text } from './read';

export interface HeldBack {
  account: string;
  cluster: string;
  /** `package-version`, or the image where no package is known. */
  release: string;
  image: string;
  who: string;
  reason: string;
  at: number | undefined;
}

export function readHeldBack(value: unknown): HeldBack {
  const held = map(value);
  return { account: text(held.account), cluster: text(held.cluster), release: text(held.release), image: text(held.image), who: text(held.who), reason: text(held.reason), at: optNumber(held.at) };
}

// A release that is held back or let go is a change of its application.
export const heldBackQuery = (application: string) =>
  queryOptions({
    queryKey: ['applications', application, 'heldBack'],
    queryFn: async ({ signal }) => list(await answer(client.GET('/applications/{application}/heldBack', { params: { path: { application } }, signal }))).map(readHeldBack),
  });

export async function release(application: string, held: HeldBack): Promise<void> {
  await answer(
    client.DELETE('/applications/{application}/heldBack/{version}', {
      params: { path: { application, version: held.release }, query: { cluster: held.cluster, account: held.account } },
    }),
  );
}

export function releaseSaid(origin: string, application: string, held: HeldBack): Said {
  return {
    command: `gennaker release ${quoted(application)} ${quoted(held.release)} --cluster ${quoted(held.cluster)} --account ${quoted(held.account)} --server ${origin}`,
    request: curl('DELETE', origin, `/applications/${encodeURIComponent(application)}/heldBack/${encodeURIComponent(held.release)}?${new URLSearchParams({ cluster: held.cluster, account: held.account })}`),
  };
}
