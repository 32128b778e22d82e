// Which cached answers a change of the live stream makes old: pure.

import { ofRepositories } from '../api/queries';

export interface Change {
  topic: string;
  key: string;
}

export type QueryKey = string[];

/** The query keys (as prefixes) that a change renews. An unknown topic renews everything: better once too often than stale. */
export function renewedBy({ topic, key }: Change): QueryKey[] {
  switch (topic) {
    case 'execution':
    case 'pipeline-execution':
    case 'orchestration':
    case 'task':
      return [['run', key], ['log', key], ['runs'], ['tasks'], ['home'], ['activity']];
    case 'report':
      return [['run', key]];
    case 'notice':
      return [['told', key], ['activity']];
    case 'log':
      return [['log', key.split('/')[0] ?? key]];
    case 'pipeline':
      return [['pipelines'], ['applications'], ['history'], ['activity']];
    case 'application':
      return [['applications'], ['home'], ['history'], ['activity']];
    case 'project':
      return [['projects'], ['activity']];
    case 'notification':
      return [['notifications']];
    case 'serverGroup':
    case 'server-group':
    case 'instance':
    case 'cluster':
    case 'loadBalancer':
    case 'load-balancer':
    case 'inventory':
    case 'cloud':
      return [['serverGroups'], ['loadBalancers'], ['provenance'], ['project-clusters'], ['accounts']];
    case 'apt':
    case 'publication':
    case 'repository':
    case 'package':
      return [...ofRepositories, ['activity']];
    case 'firewall':
      return [['firewalls']];
    case 'image':
    case 'images':
      return [['images']];
    case 'token':
      return [['tokens'], ['user']];
    default:
      return [[]];
  }
}

/** The same keys once, and none that a shorter one already covers. */
export function joined(keys: QueryKey[]): QueryKey[] {
  const short = [...keys].sort((a, b) => a.length - b.length);
  const kept: QueryKey[] = [];
  for (const key of short) {
    if (!kept.some((have) => have.every((part, at) => part === key[at]))) kept.push(key);
  }
  return kept;
}

/** One event's data; null when it is not one of ours. */
export function readChange(data: string): Change | null {
  try {
    const value: unknown = JSON.parse(data);
    if (typeof value !== 'object' || value === null) return null;
    const { topic, key } = value as Record<string, unknown>;
    return typeof topic === 'string' ? { topic, key: typeof key === 'string' ? key : '' } : null;
  } catch {
    return null;
  }
}
