// What there is to choose from when something is created: images, sizes, certificates, firewalls.

import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { answer, client } from './client';
import type { Named } from './named';
import { list, map, number, optNumber, text } from './read';

export interface Image {
  id: string;
  name: string;
  account: string;
  created: number | undefined;
  /** What was installed in it: `helloterry-2.0`. */
  version: string;
}

/** Images that can be deployed, the newest first. */
export const imagesQuery = () =>
  queryOptions({
    queryKey: ['images'],
    queryFn: async ({ signal }) => {
      const images = list(await answer(client.GET('/images/find', { signal }))).map((one): Image => {
        const image = map(one);
        return { id: text(image.imageId) || text(image.imageName), name: text(image.imageName), account: text(image.account), created: optNumber(image.creationDate), version: text(map(image.tags).appversion) };
      });
      return images.sort((a, b) => (b.created ?? 0) - (a.created ?? 0) || a.name.localeCompare(b.name));
    },
  });

/** Names of certificates that listeners may show, by account. */
export const certificatesQuery = () =>
  queryOptions({
    queryKey: ['certificates'],
    queryFn: async ({ signal }) =>
      list(await answer(client.GET('/certificates', { signal }))).map(map).map((one) => ({ account: text(one.accountName), name: text(one.serverCertificateName) })),
  });

export interface Rule {
  protocol: string;
  first: number;
  last: number;
  from: string;
}

export interface Firewall {
  name: string;
  account: string;
  region: string;
  application: string;
  description: string;
  rules: Rule[];
}

export function readFirewall(value: unknown): Firewall {
  const firewall = map(value);
  return {
    name: text(firewall.name),
    account: text(firewall.accountName) || text(firewall.account),
    region: text(firewall.region),
    application: text(firewall.application),
    description: text(firewall.description),
    rules: list(firewall.inboundRules).map(map).flatMap((rule) => {
      const range = map(rule.range);
      const from = `${text(range.ip)}${text(range.cidr)}`;
      return list(rule.portRanges).map(map).map((ports) => ({ protocol: text(rule.protocol, 'tcp').toLowerCase(), first: number(ports.startPort), last: number(ports.endPort), from }));
    }),
  };
}

/** The firewalls of `{account: {provider: {region: [firewall]}}}` that belong to an application. */
export function firewallsOf(value: unknown, application: string): Named[] {
  const found: Named[] = [];
  for (const [account, providers] of Object.entries(map(value))) {
    for (const regions of Object.values(map(providers))) {
      for (const [region, all] of Object.entries(map(regions))) {
        for (const one of list(all).map(map)) if (text(one.application) === application) found.push({ account, region, name: text(one.name) });
      }
    }
  }
  return found.sort((a, b) => a.name.localeCompare(b.name));
}

/** The names of an application's firewalls. */
export const firewallsQuery = (application: string) =>
  queryOptions({
    queryKey: ['firewalls', application],
    queryFn: async ({ signal }) => firewallsOf(await answer(client.GET('/securityGroups', { signal })), application),
  });

/**
 * One firewall with its rules, which the list of them has not. It is asked for anew when the list is, of which it is given the time: one that is
 * deleted is in no list, and nobody asks for it.
 */
export const firewallQuery = ({ account, region, name }: Named, listed: number) =>
  queryOptions({
    queryKey: ['firewall', account, region, name, String(listed)],
    queryFn: async ({ signal }): Promise<Firewall> => {
      const path = { account, region, name };
      return { ...readFirewall(await answer(client.GET('/securityGroups/{account}/{region}/{name}', { params: { path }, signal }))), ...path };
    },
    placeholderData: keepPreviousData,
  });

/** One load balancer as the server tells it, for a form that changes it. */
export const balancerQuery = (path: Named) =>
  queryOptions({
    queryKey: ['loadBalancers', 'one', path.account, path.region, path.name],
    queryFn: async ({ signal }) => map(list(await answer(client.GET('/loadBalancers/{account}/{region}/{name}', { params: { path }, signal })))[0]),
  });
