// Server groups, instances and load balancers as the page uses them, read from the JSON of the API.

import { flag, list, map, number, optNumber, optText, text, texts, type JsonMap } from './read';

export interface Instance {
  id: string;
  name: string;
  /** Up, Down, Starting, OutOfService, Unknown. */
  state: string;
  zone: string | undefined;
  launchTime: number | undefined;
  address: string | undefined;
  /** Why it is in this state: one sentence of whoever checks it. */
  why: string | undefined;
}

export interface ServerGroup {
  name: string;
  account: string;
  region: string;
  cluster: string;
  application: string;
  sequence: number | undefined;
  disabled: boolean;
  createdTime: number | undefined;
  image: string | undefined;
  package: string | undefined;
  capacity: { min: number; desired: number; max: number };
  instances: Instance[];
  balancers: string[];
  firewalls: string[];
  instanceType: string | undefined;
  zones: string[];
  preview: string | undefined;
  /** Weight in the load balancer, where the cloud tells it. */
  weight: number | undefined;
}

export interface Listener {
  address: string;
  protocol: string;
}

export interface HealthCheck {
  what: string;
  interval: number | undefined;
  timeout: number | undefined;
  rise: number | undefined;
  fall: number | undefined;
}

export interface Balancer {
  name: string;
  account: string;
  region: string;
  type: string;
  listeners: Listener[];
  check: HealthCheck | undefined;
  firewalls: string[];
  groups: { name: string; disabled: boolean; instances: Instance[] }[];
}

/** The first text under any of the given keys, at any of the given maps. */
function firstText(maps: JsonMap[], keys: string[]): string | undefined {
  for (const one of maps) {
    for (const key of keys) {
      const found = optText(one[key]);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

export function readInstance(value: unknown): Instance {
  const instance = map(value);
  const checks = list(instance.health).map(map);
  // Behind a load balancer it is one object, whose `state` has the balancer's own words.
  const single = map(instance.health);
  const state = text(instance.healthState) || firstText([...checks, single], ['healthState', 'state']) || 'Unknown';
  return {
    id: text(instance.id, text(instance.name)),
    name: text(instance.name) || text(instance.id),
    state: state === 'InService' ? 'Up' : state,
    zone: optText(instance.zone) ?? optText(map(instance.placement).availabilityZone),
    launchTime: optNumber(instance.launchTime),
    address: firstText([instance, ...checks], ['address', 'privateIpAddress', 'publicIpAddress']),
    why: firstText([...checks.filter((check) => text(check.state) === state), ...checks, single, instance], ['description', 'why', 'reason', 'message']),
  };
}

export function readServerGroup(value: unknown): ServerGroup {
  const group = map(value);
  const moniker = map(group.moniker);
  const capacity = map(group.capacity);
  const build = map(group.buildInfo);
  const metadata = map(group.providerMetadata);
  const launch = map(group.launchConfig);
  const instances = list(group.instances).map(readInstance);
  const desired = number(capacity.desired, instances.length);
  const zones = new Set(texts(group.zones));
  for (const instance of instances) if (instance.zone !== undefined) zones.add(instance.zone);
  return {
    name: text(group.name),
    account: text(group.account),
    region: text(group.region),
    cluster: text(group.cluster) || text(moniker.cluster),
    application: text(group.application) || text(moniker.app),
    sequence: optNumber(moniker.sequence),
    disabled: flag(group.isDisabled) || flag(group.disabled),
    createdTime: optNumber(group.createdTime),
    image: firstText([metadata, launch, group], ['image', 'imageId', 'imageName']) ?? texts(build.images)[0],
    package: packageOf(build),
    capacity: { min: number(capacity.min, desired), desired, max: number(capacity.max, desired) },
    instances,
    balancers: texts(group.loadBalancers),
    firewalls: texts(group.securityGroups),
    instanceType: optText(group.instanceType),
    zones: [...zones].sort(),
    preview: firstText([metadata, group], ['previewAddress', 'preview', 'previewUrl']),
    weight: optNumber(metadata.weight) ?? optNumber(group.weight),
  };
}

function packageOf(build: JsonMap): string | undefined {
  const name = text(build.package) || text(build.package_name) || text(build.packageName);
  const version = text(build.version);
  const both = [name, version].filter((part) => part !== '').join(' ');
  return both === '' ? undefined : both;
}

export function readBalancer(value: unknown): Balancer {
  const balancer = map(value);
  const host = firstText([balancer], ['address', 'ipAddress', 'dnsName', 'dnsname', 'host']);
  return {
    name: text(balancer.name, text(balancer.loadBalancerName)),
    account: text(balancer.account),
    region: text(balancer.region),
    type: text(balancer.loadBalancerType) || text(balancer.type) || text(balancer.cloudProvider),
    listeners: readListeners(balancer, host),
    check: readCheck(map(balancer.healthCheck), optText(balancer.healthCheck)),
    firewalls: texts(balancer.securityGroups),
    groups: list(balancer.serverGroups).map((one) => {
      const group = map(one);
      return { name: text(group.name), disabled: flag(group.isDisabled), instances: list(group.instances).map(readInstance) };
    }),
  };
}

function readListeners(balancer: JsonMap, host: string | undefined): Listener[] {
  const listeners = list(balancer.listeners).map((one): Listener => {
    const listener = map(one);
    const port = optNumber(listener.port) ?? optNumber(listener.externalPort) ?? optNumber(listener.portRange);
    const own = firstText([listener], ['address']);
    const where = own ?? host ?? '';
    const withPort = port !== undefined && !/:\d+$/.test(where) ? `${where}:${port}` : where;
    return { address: withPort, protocol: firstText([listener], ['protocol', 'externalProtocol', 'ipProtocol']) ?? 'TCP' };
  });
  if (listeners.length === 0 && host !== undefined) {
    const port = optText(balancer.portRange);
    listeners.push({ address: port !== undefined && !host.includes(':') ? `${host}:${port}` : host, protocol: text(balancer.ipProtocol, 'TCP') });
  }
  return listeners;
}

function readCheck(check: JsonMap, plain: string | undefined): HealthCheck | undefined {
  if (Object.keys(check).length === 0) {
    return plain === undefined ? undefined : { what: plain, interval: undefined, timeout: undefined, rise: undefined, fall: undefined };
  }
  const kind = firstText([check], ['healthCheckType', 'type', 'protocol']) ?? 'HTTP';
  // Port 0 stands for the port that carries the traffic.
  const port = firstText([check].filter((one) => number(one.port) !== 0), ['port']);
  const path = firstText([check], ['requestPath', 'path']);
  return {
    what: `${kind.toUpperCase()}${port === undefined ? '' : ` :${port}`}${path === undefined ? '' : ` ${path}`}`,
    interval: optNumber(check.checkIntervalSec) ?? optNumber(check.interval),
    timeout: optNumber(check.timeoutSec) ?? optNumber(check.timeout),
    rise: optNumber(check.healthyThreshold) ?? optNumber(check.rise),
    fall: optNumber(check.unhealthyThreshold) ?? optNumber(check.fall),
  };
}

export interface Cluster {
  account: string;
  name: string;
  groups: ServerGroup[];
}

/** Server groups by account and cluster, the newest group first. */
export function clustersOf(groups: ServerGroup[]): Cluster[] {
  const clusters = new Map<string, Cluster>();
  for (const group of groups) {
    const key = `${group.account}\n${group.cluster}`;
    const cluster = clusters.get(key) ?? { account: group.account, name: group.cluster, groups: [] };
    cluster.groups.push(group);
    clusters.set(key, cluster);
  }
  const sorted = [...clusters.values()].sort((a, b) => a.account.localeCompare(b.account) || a.name.localeCompare(b.name));
  for (const cluster of sorted) cluster.groups.sort(newestFirst);
  return sorted;
}

function newestFirst(a: ServerGroup, b: ServerGroup): number {
  return (b.createdTime ?? 0) - (a.createdTime ?? 0) || (b.sequence ?? 0) - (a.sequence ?? 0) || b.name.localeCompare(a.name);
}

export function upCount(instances: Instance[]): number {
  return instances.filter((instance) => instance.state === 'Up').length;
}

/**
 * Each group's share of its cluster's traffic in whole percent: the balancer sends to healthy members of enabled groups, each
 * instance alike unless the group says its weight. The shares of one cluster add up to 100, or are all 0.
 */
export function trafficShares(groups: ServerGroup[]): Map<string, number> {
  const pull = groups.map((group) => (group.disabled || group.balancers.length === 0 ? 0 : (group.weight ?? 1) * upCount(group.instances)));
  const all = pull.reduce((sum, one) => sum + one, 0);
  const shares = new Map<string, number>();
  let given = 0;
  const heaviest = pull.indexOf(Math.max(...pull, 0));
  groups.forEach((group, at) => {
    const share = all === 0 ? 0 : Math.round((100 * (pull[at] ?? 0)) / all);
    given += share;
    shares.set(group.name, share);
  });
  const top = groups[heaviest];
  if (all > 0 && top !== undefined) shares.set(top.name, (shares.get(top.name) ?? 0) + 100 - given);
  return shares;
}
