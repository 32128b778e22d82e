// The tokens that open the server's door: whose they are, a new one, one less, and coming in with one.

import { queryOptions } from '@tanstack/react-query';
import { curl, quoted, type Said } from './actions';
import { answer, client } from './client';
import { alone } from './door';
import { list, map, optNumber, optText, text } from './read';

export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** A token without itself. */
export interface Token {
  name: string;
  role: string;
  /** The only application that its bearer may see and run; undefined for all. */
  application: string | undefined;
  /** The only publication that its bearer may read. */
  publication: string | undefined;
  /** The only repository that its bearer may upload to. */
  repository: string | undefined;
  /** Who made it and when; undefined of one that stands in the configuration file. */
  made: { who: string; at: number | undefined } | undefined;
}

export function readTokens(value: unknown): Token[] {
  const tokens = list(value).map((one): Token => {
    const { name, role, application, publication, repository, who, created } = map(one);
    const maker = optText(who);
    const made = maker === undefined ? undefined : { who: maker, at: optNumber(created) };
    return { name: text(name), role: text(role), application: optText(application), publication: optText(publication), repository: optText(repository), made };
  });
  return tokens.filter((one) => one.name !== '');
}

export const tokensQuery = () =>
  queryOptions({
    queryKey: ['tokens'],
    queryFn: async ({ signal }) => readTokens(await answer(client.GET('/ui-api/tokens', { signal }))),
  });

/** What a new token is to be. */
export interface Wanted {
  name: string;
  role: Role;
  /** Empty for all of them. */
  application: string;
}

function bodyOf({ name, role, application }: Wanted) {
  return application === '' ? { name, role } : { name, role, application };
}

export interface Made {
  /** The server tells it this once. */
  token: string;
  /** Of a server's first one: whether the browser took it, so that the page goes on with it. */
  kept?: boolean;
}

export async function makeToken(wanted: Wanted): Promise<Made> {
  return { token: text(map(await answer(client.POST('/ui-api/tokens', { body: bodyOf(wanted) }))).token) };
}

/** Makes the first one: nothing else is asked before the browser has it. */
export function makeFirstToken(wanted: Wanted): Promise<Made> {
  return alone(async () => {
    const made = await answer(client.POST('/ui-api/tokens', { body: bodyOf(wanted), fetch: (request) => fetch(request) }));
    const token = text(map(made).token);
    return { token, kept: await comeIn(token) };
  });
}

export function makeTokenSaid(origin: string, wanted: Wanted): Said {
  const application = wanted.application === '' ? '' : ` --application ${quoted(wanted.application)}`;
  return {
    command: `gennaker token create ${quoted(wanted.name || 'NAME')} --role ${wanted.role}${application} --server ${origin}`,
    request: curl('POST', origin, '/ui-api/tokens', bodyOf({ ...wanted, name: wanted.name || 'NAME' })),
  };
}

export async function revokeToken(name: string): Promise<void> {
  await answer(client.DELETE('/ui-api/tokens/{name}', { params: { path: { name } } }));
}

export function revokeTokenSaid(origin: string, name: string): Said {
  return { command: `gennaker token revoke ${quoted(name)} --server ${origin}`, request: curl('DELETE', origin, `/ui-api/tokens/${encodeURIComponent(name)}`) };
}

/**
 * Lets the browser keep a token for this server, so that it need not ask for one; tells whether it took it. Only this kind of request makes a
 * browser remember what it was given: `fetch` with a header does not, and the live stream takes no header.
 */
function comeIn(token: string): Promise<boolean> {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    request.onload = () => done(request.status < 300);
    request.onerror = () => done(false);
    request.open('GET', '/auth/user', true, 'token', token);
    request.send();
  });
}
