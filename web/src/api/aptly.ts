// aptly's own API, whose bodies the server's document does not describe. Each action says the same as a command and as a request.

import { curl, quoted, type Said } from './actions';
import { answer } from './client';
import { through } from './door';
import { list, map, text } from './read';
import type { Package } from './repositories';

/** One call: what to do, with what. */
export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  body?: unknown;
}

/** Something that can be done: the call, and the same as a command. */
export interface Doing {
  call: Call;
  command: string;
}

export async function perform({ method, path, body }: Call, signal?: AbortSignal): Promise<unknown> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await through(path, { method, ...sent, ...(signal === undefined ? {} : { signal }) });
  const raw = await response.text();
  let read: unknown = raw;
  try {
    read = JSON.parse(raw);
  } catch {
    // A sentence, not JSON.
  }
  return answer(Promise.resolve(response.ok ? { data: read, response } : { error: errorIn(read), response }));
}

/** aptly answers `{error}` or a list of such. */
function errorIn(read: unknown): unknown {
  return Array.isArray(read) ? read[0] : read;
}

export function said(origin: string, { call, command }: Doing): Said {
  return { command, request: curl(call.method, origin, call.path, call.body) };
}

const part = encodeURIComponent;

/** A place as it stands in a path of aptly's API: `storage:some/prefix` is `storage:some_prefix`. */
export function escaped(place: string): string {
  const at = place.lastIndexOf(':');
  const prefix = place.slice(at + 1).replaceAll('_', '__').replaceAll('/', '_');
  return `${at < 0 ? '' : place.slice(0, at)}:${prefix}`;
}

/** A place as a last word of a command; nothing for none. */
export function placeWord(prefix: string): string {
  return prefix === '.' || prefix === '' ? '' : ` ${quoted(prefix)}`;
}

export function createRepository(name: string, distribution = '', component = '', comment = ''): Doing {
  const option = (flag: string, value: string) => (value === '' ? '' : ` -${flag}=${quoted(value)}`);
  const given = (key: string, value: string) => (value === '' ? {} : { [key]: value });
  return {
    call: { method: 'POST', path: '/api/repos', body: { Name: name, ...given('Comment', comment), ...given('DefaultDistribution', distribution), ...given('DefaultComponent', component) } },
    command: `aptly repo create${option('distribution', distribution)}${option('component', component)}${option('comment', comment)} ${quoted(name)}`,
  };
}

/** Of a local repository or of a mirror. */
export function createSnapshot(of: 'repo' | 'mirror', source: string, name: string): Doing {
  return {
    call: { method: 'POST', path: `/api/${of === 'repo' ? 'repos' : 'mirrors'}/${part(source)}/snapshots`, body: { Name: name } },
    command: `aptly snapshot create ${quoted(name)} from ${of} ${quoted(source)}`,
  };
}

export function dropSnapshot(name: string): Doing {
  return { call: { method: 'DELETE', path: `/api/snapshots/${part(name)}` }, command: `aptly snapshot drop ${quoted(name)}` };
}

/** A package on the left, on the right, or another version of it on both sides. */
export interface DiffRow {
  left: string | undefined;
  right: string | undefined;
}

export async function diffSnapshots(left: string, right: string, signal?: AbortSignal): Promise<DiffRow[]> {
  const path = `/api/snapshots/${part(left)}/diff/${part(right)}`;
  return list(await perform({ method: 'GET', path }, signal)).map((one) => {
    const row = map(one);
    const side = (value: unknown) => (text(value) === '' ? undefined : text(value));
    return { left: side(row.Left), right: side(row.Right) };
  });
}

/** `Pamd64 hello 1.0 3a2b…` as its parts: architecture, name, version. */
export function ofKey(key: string): Package {
  const [first = '', name = '', version = ''] = key.split(' ');
  // Before the architecture stands `P`, and a prefix where the package is of another kind.
  const architecture = first.slice(first.lastIndexOf('P') + 1);
  return { architecture, name, version };
}

/** The packages of a repository that a query means, by name: their fields would be a thousand times as much. */
export async function packageNames(repository: string, query: string, signal?: AbortSignal): Promise<Package[]> {
  const path = `/api/repos/${part(repository)}/packages?${new URLSearchParams({ q: query })}`;
  return list(await perform({ method: 'GET', path }, signal)).map((key) => ofKey(text(key)));
}

/** The packages of a repository that a query means, each with its fields. */
export async function packagesOf(repository: string, query: string, signal?: AbortSignal): Promise<Record<string, string>[]> {
  const path = `/api/repos/${part(repository)}/packages?${new URLSearchParams({ q: query, format: 'details' })}`;
  return list(await perform({ method: 'GET', path }, signal)).map((one) => {
    const fields = Object.entries(map(one)).map(([key, value]) => [key, text(value)] as const);
    return Object.fromEntries(fields);
  });
}
