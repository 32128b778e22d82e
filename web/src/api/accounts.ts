// Accounts that can be deployed to, whether they answer, and the server itself: version, health, disk, and who asks.

import { queryOptions } from '@tanstack/react-query';
import { answer, client } from './client';
import { flag, list, map, number, optNumber, optText, text, texts } from './read';

export interface Account {
  name: string;
  provider: string;
  environment: string;
  authorized: boolean;
  regions: { name: string; zones: string[] }[];
}

export function readAccount(value: unknown): Account {
  const account = map(value);
  return {
    name: text(account.name),
    provider: text(account.cloudProvider) || text(account.type),
    environment: text(account.environment),
    authorized: account.authorized === undefined || flag(account.authorized),
    regions: list(account.regions).map((one) => {
      const region = typeof one === 'string' ? { name: one } : map(one);
      return { name: text(region.name), zones: texts(map(region).availabilityZones) };
    }),
  };
}

export const accountsQuery = () =>
  queryOptions({
    queryKey: ['accounts'],
    queryFn: async ({ signal }) => list(await answer(client.GET('/credentials', { signal }))).map(readAccount),
  });

export interface Health {
  /** Why it does not answer; nothing when it does. */
  why: string | undefined;
  /** How long the answer took. */
  ms: number;
  at: number;
}

/** Whether an account answers now. Where the server itself does not, that is why. */
export const accountHealthQuery = (account: string) =>
  queryOptions({
    queryKey: ['accounts', account, 'health'],
    queryFn: async ({ signal }): Promise<Health> => {
      try {
        const health = map(await answer(client.GET('/ui-api/accounts/{account}/health', { params: { path: { account } }, signal })));
        return { why: optText(health.why), ms: number(health.millis), at: Date.now() };
      } catch (error) {
        if (signal.aborted) throw error;
        return { why: error instanceof Error ? error.message : String(error), ms: 0, at: Date.now() };
      }
    },
  });

/** What runs in all accounts: server groups and instances by account. */
export const accountLoadQuery = () =>
  queryOptions({
    queryKey: ['accounts', '', 'load'],
    queryFn: async ({ signal }) => readLoad(await answer(client.GET('/search', { params: { query: { type: 'serverGroups,instances,loadBalancers' } }, signal }))),
  });

export interface Load {
  groups: number;
  instances: number;
  balancers: number;
}

export function readLoad(value: unknown): Map<string, Load> {
  const loads = new Map<string, Load>();
  for (const one of list(value).flatMap((page) => list(map(page).results)).map(map)) {
    const load = loads.get(text(one.account)) ?? { groups: 0, instances: 0, balancers: 0 };
    loads.set(text(one.account), load);
    if (one.type === 'serverGroups') load.groups += 1;
    if (one.type === 'instances') load.instances += 1;
    if (one.type === 'loadBalancers') load.balancers += 1;
  }
  return loads;
}

export interface InstanceType {
  account: string;
  name: string;
}

export const instanceTypesQuery = () =>
  queryOptions({
    queryKey: ['accounts', '', 'types'],
    queryFn: async ({ signal }) =>
      list(await answer(client.GET('/instanceTypes', { signal }))).map((one): InstanceType => ({ account: text(map(one).account), name: text(map(one).name) || text(one) })),
  });

export interface User {
  name: string;
  roles: string[];
  admin: boolean;
  /** May look only. */
  viewer: boolean;
  accounts: string[];
}

export interface Settings {
  /** The team's time zone. */
  zone: string;
}

export function readSettings(value: unknown): Settings {
  return { zone: text(map(value).zone) };
}

/** What the operator settled. It changes with a start of the server only. */
export const settingsQuery = () =>
  queryOptions({
    queryKey: ['settings'],
    queryFn: async ({ signal }) => readSettings(await answer(client.GET('/ui-api/settings', { signal }))),
    staleTime: Infinity,
  });

export const userQuery = () =>
  queryOptions({
    queryKey: ['user'],
    queryFn: async ({ signal }): Promise<User> => {
      const user = map(await answer(client.GET('/auth/user', { signal })));
      const roles = texts(user.roles);
      return { name: text(user.username), roles, admin: flag(user.isAdmin), viewer: roles.length > 0 && roles.every((role) => role === 'viewer'), accounts: texts(user.allowedAccounts) };
    },
  });

export interface Server {
  version: string;
  aptly: string;
  status: string;
}

export const serverQuery = () =>
  queryOptions({
    queryKey: ['server'],
    queryFn: async ({ signal }): Promise<Server> => {
      const [version, health, aptly] = await Promise.all([answer(client.GET('/version', { signal })), answer(client.GET('/health', { signal })), answer(client.GET('/api/version', { signal }))]);
      return { version: text(map(version).version), status: text(map(health).status), aptly: text(map(aptly).Version) };
    },
  });

/** The file system of the repositories, in bytes. */
export interface Disk {
  total: number;
  free: number;
  full: number;
}

export const diskQuery = () =>
  queryOptions({
    queryKey: ['disk'],
    queryFn: async ({ signal }): Promise<Disk> => {
      const disk = map(await answer(client.GET('/api/storage', { signal })));
      const mib = 1024 ** 2;
      return { total: number(disk.Total) * mib, free: number(disk.Free) * mib, full: optNumber(disk.PercentFull) ?? 0 };
    },
  });
