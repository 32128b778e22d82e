// One application: its attributes, its traffic guards, its saved states, and what changes them.

import { queryOptions } from '@tanstack/react-query';
import { curl, quoted, type Said } from './actions';
import { answer, client } from './client';
import { finish, taskRequest, type Asked } from './jobs';
import { flag, list, map, number, optNumber, text, type JsonMap } from './read';

export interface Guard {
  account: string;
  location: string;
  stack: string;
  detail: string;
  enabled: boolean;
}

export function readGuards(attributes: JsonMap): Guard[] {
  return list(attributes.trafficGuards).map((one) => {
    const guard = map(one);
    return { account: text(guard.account), location: text(guard.location), stack: text(guard.stack), detail: text(guard.detail), enabled: guard.enabled === undefined || flag(guard.enabled) };
  });
}

/** The attributes of an application, all that it has. */
export const applicationQuery = (application: string) =>
  queryOptions({
    queryKey: ['applications', application],
    queryFn: async ({ signal }) =>
      map(map(await answer(client.GET('/applications/{application}', { params: { path: { application }, query: { expand: false } }, signal }))).attributes),
  });

/** The traffic guards of an application, from the same answer. */
export const guardsQuery = (application: string) => queryOptions({ ...applicationQuery(application), select: readGuards });

/** One saved state: what it was, who saved it and when. */
export interface State {
  number: number;
  at: number | undefined;
  who: string;
  deleted: boolean;
  body: JsonMap;
}

export function readStates(value: unknown): State[] {
  return list(value).map((one) => {
    const body = map(one);
    return { number: number(body.revision), at: optNumber(body.updateTs), who: text(body.lastModifiedBy), deleted: flag(body.deleted), body };
  });
}

/** How many saved states are shown. */
const STATES = 200;

export const historyQuery = (application: string) =>
  queryOptions({
    queryKey: ['history', application],
    queryFn: async ({ signal }) =>
      readStates(await answer(client.GET('/applications/{application}/history', { params: { path: { application }, query: { limit: STATES } }, signal }))),
  });

/** Whom the application tells what, by kind: `email`, `slack` and others, each a list. */
export const notificationsQuery = (application: string) =>
  queryOptions({
    queryKey: ['notifications', application],
    queryFn: async ({ signal }) =>
      map(await answer(client.GET('/notifications/{type}/{name}', { params: { path: { type: 'application', name: application } }, signal }))),
  });

/** Saves the whole document: what is not in it is gone. */
export async function saveNotifications(application: string, document: JsonMap): Promise<void> {
  await answer(client.POST('/notifications/{type}/{name}', { params: { path: { type: 'application', name: application } }, body: document }));
}

export function saveNotificationsSaid(origin: string, application: string, document: JsonMap): Said {
  return { command: undefined, request: curl('POST', origin, `/notifications/application/${encodeURIComponent(application)}`, document) };
}

export function updateJob(application: string, changes: JsonMap): Asked {
  return { application, description: `Update Application: ${application}`, job: { type: 'updateApplication', application: { name: application, ...changes } } };
}

/** Changes the given attributes; all others stay. */
export const update = (application: string, changes: JsonMap) => finish(updateJob(application, changes));

/** The command asks for the owner's address each time; the request does not. */
export function updateSaid(origin: string, application: string, email: string, changes: JsonMap): Said {
  const attributes = JSON.stringify({ name: application, email, ...changes });
  return {
    command: `echo ${quoted(attributes)} | gennaker application save -f - --server ${quoted(origin)}`,
    request: taskRequest(origin, updateJob(application, changes)),
  };
}

function deleteJob(application: string): Asked {
  return { application, description: `Delete Application: ${application}`, job: { type: 'deleteApplication', application: { name: application } } };
}

export const remove = (application: string) => finish(deleteJob(application));

export function removeSaid(origin: string, application: string): Said {
  return { command: `gennaker application delete ${quoted(application)} --server ${quoted(origin)}`, request: taskRequest(origin, deleteJob(application)) };
}

export async function restore(application: string, state: number): Promise<void> {
  await answer(client.POST('/applications/{application}/history/{number}/restore', { params: { path: { application, number: state } } }));
}

export function restoreSaid(origin: string, application: string, state: number): Said {
  return {
    command: `gennaker application restore ${quoted(application)} --revision ${state} --server ${quoted(origin)}`,
    request: curl('POST', origin, `/applications/${encodeURIComponent(application)}/history/${state}/restore`),
  };
}
