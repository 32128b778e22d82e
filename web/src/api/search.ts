// The search over everything that has a name.

import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { answer, client } from './client';
import { list, map, text, type JsonMap } from './read';

export const FOUND_KINDS = ['application', 'pipeline', 'serverGroup', 'loadBalancer', 'instance', 'project'] as const;
export type FoundKind = (typeof FOUND_KINDS)[number];

export interface Found {
  kind: FoundKind;
  name: string;
  application: string;
  /** Where it is: account and region. */
  place: string;
  account: string;
  region: string;
  /** The server group of an instance. */
  group: string;
}

const KINDS: Record<string, [FoundKind, string]> = {
  applications: ['application', 'name'],
  pipelines: ['pipeline', 'name'],
  serverGroups: ['serverGroup', 'serverGroup'],
  loadBalancers: ['loadBalancer', 'loadBalancer'],
  instances: ['instance', 'instanceId'],
  projects: ['project', 'name'],
};

function readFound(one: JsonMap): Found[] {
  const known = KINDS[text(one.type)];
  if (known === undefined) return [];
  const [kind, key] = known;
  const name = text(one[key]);
  const [account, region] = [text(one.account), text(one.region)];
  const place = [account, region].filter((part) => part !== '').join('/');
  return name === '' ? [] : [{ kind, name, application: text(one.application), place, account, region, group: text(one.serverGroup) }];
}

export function readSearch(value: unknown): Found[] {
  return list(value).flatMap((page) => list(map(page).results).flatMap((one) => readFound(map(one))));
}

/** The word that the server is asked for: the longest one; whether the others are there too is looked at here. */
export function askedWord(typed: string): string {
  const words = typed.normalize('NFC').trim().split(/\s+/);
  return words.reduce((longest, one) => (one.length > longest.length ? one : longest), '');
}

/** Instances have names that nobody remembers: only a longer text finds them. */
const INSTANCES_FROM = 4;

export const searchQuery = (word: string) =>
  queryOptions({
    queryKey: ['search', word],
    queryFn: async ({ signal }) => {
      const type = Object.keys(KINDS).filter((kind) => kind !== 'instances' || word.length >= INSTANCES_FROM);
      return readSearch(await answer(client.GET('/search', { params: { query: { q: word, type: type.join(','), pageSize: 500 } }, signal })));
    },
    enabled: word !== '',
    placeholderData: keepPreviousData,
    staleTime: 5_000,
  });

/** Whether a text can be the id of a run, whole. */
export function looksLikeId(typed: string): boolean {
  return /^(?:[0-9a-hjkmnp-tv-z]{26}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i.test(typed.trim());
}
