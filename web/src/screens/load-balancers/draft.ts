// A load balancer as it is typed: from what the server tells, to the job that makes it so, and what is wrong with it. Pure.

import type { Asked } from '../../api/jobs';
import { list, map, optNumber, text, texts, type JsonMap } from '../../api/read';
import { numeric, ownedName, problemsOf, type Problem, type Problems } from '../../parts/problems';
import type { Texts } from '../../texts/en';

export const PROTOCOLS = ['HTTP', 'TCP', 'UDP', 'HTTPS', 'TLS'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export interface ListenerDraft {
  protocol: Protocol;
  /** Empty: a free one. */
  port: string;
  certificates: string[];
}

export interface BalancerDraft {
  name: string;
  account: string;
  region: string;
  listeners: ListenerDraft[];
  check: 'HTTP' | 'TCP' | 'none';
  path: string;
  /** Empty: the port that carries the traffic. */
  checkPort: string;
  interval: string;
  timeout: string;
  healthy: string;
  unhealthy: string;
  firewalls: string[];
  /** How it treats requests, as the server tells it: what no form shows is handed back as it came. */
  treatment: JsonMap;
}

/** The keys of the treatment. */
const TREATMENT = [
  'localityLbPolicy',
  'sessionAffinity',
  'affinityCookieName',
  'affinityCookieTtlSec',
  'affinityHeaderName',
  'connectionDrainingTimeoutSec',
  'holdTimeoutSec',
  'trustedProxies',
  'acceptProxyProtocol',
  'proxyHeader',
  'outlierDetection',
];

/** The application's own name; `hello-2` and so on where it is taken. */
export function freeName(application: string, taken: string[]): string {
  for (let at = 1; ; at++) {
    const name = at === 1 ? application : `${application}-${at}`;
    if (!taken.includes(name)) return name;
  }
}

export function newBalancer(name: string, account: string, region: string): BalancerDraft {
  return {
    name,
    account,
    region,
    listeners: [{ protocol: 'HTTP', port: '8080', certificates: [] }],
    check: 'HTTP',
    path: '/',
    checkPort: '',
    interval: '2',
    timeout: '2',
    healthy: '2',
    unhealthy: '2',
    firewalls: [],
    treatment: {},
  };
}

export function isSecure(protocol: Protocol): boolean {
  return protocol === 'HTTPS' || protocol === 'TLS';
}

/** Port 0 stands for one that the provider chooses, and for the one that carries the traffic. */
function portOf(value: unknown): string {
  const port = optNumber(value);
  return port === undefined || port === 0 ? '' : String(port);
}

export function draftOf(value: JsonMap): BalancerDraft {
  const blank = newBalancer(text(value.name), text(value.account), text(value.region));
  const check = map(value.healthCheck);
  const kind = text(check.healthCheckType).toUpperCase();
  const listeners = list(value.listeners).map(map).map((listener): ListenerDraft => {
    const spoken = PROTOCOLS.find((one) => one === text(listener.protocol).toUpperCase()) ?? 'TCP';
    const certificates = texts(listener.certificates);
    return { protocol: certificates.length === 0 ? spoken : spoken === 'HTTP' ? 'HTTPS' : 'TLS', port: portOf(listener.port), certificates };
  });
  return {
    ...blank,
    listeners: listeners.length === 0 ? blank.listeners : listeners,
    check: kind === '' ? 'none' : kind === 'HTTP' ? 'HTTP' : 'TCP',
    path: text(check.requestPath) || '/',
    checkPort: portOf(check.port),
    interval: text(check.checkIntervalSec) || blank.interval,
    timeout: text(check.timeoutSec) || blank.timeout,
    healthy: text(check.healthyThreshold) || blank.healthy,
    unhealthy: text(check.unhealthyThreshold) || blank.unhealthy,
    firewalls: texts(value.securityGroups),
    treatment: Object.fromEntries(TREATMENT.filter((key) => key in value).map((key) => [key, value[key]])),
  };
}

/** `taken`: names that are there in the account and region, when a new one is made. */
export function problemsOfBalancer(draft: BalancerDraft, application: string, taken: string[], t: Texts): Problems {
  const checked = draft.check !== 'none';
  const port = { min: 1, max: 65535, whole: true, optional: true };
  const entries: Record<string, Problem | undefined> = {
    name: ownedName(t.newBalancer.part, application, draft.name, t) ?? (taken.includes(draft.name) ? { why: t.wizards.taken(t.newBalancer.part, draft.name) } : undefined),
    path: draft.check === 'HTTP' && !/^\/[!-~]*$/.test(draft.path) ? { why: t.newBalancer.badPath } : undefined,
    interval: checked ? numeric(draft.interval, { min: 0.05 }, t) : undefined,
    timeout: checked ? numeric(draft.timeout, { min: 0.05 }, t) : undefined,
    healthy: checked ? numeric(draft.healthy, { min: 1, whole: true }, t) : undefined,
    unhealthy: checked ? numeric(draft.unhealthy, { min: 1, whole: true }, t) : undefined,
  };
  draft.listeners.forEach((listener, at) => {
    const same = (other: ListenerDraft) => other.port === listener.port && (other.protocol === 'UDP') === (listener.protocol === 'UDP');
    const twice = listener.port !== '' && draft.listeners.findIndex(same) < at;
    entries[`port${at}`] = numeric(listener.port, port, t) ?? (twice ? { why: t.newBalancer.twice(listener.port) } : undefined);
    entries[`certificate${at}`] = isSecure(listener.protocol) && listener.certificates.length === 0 ? { why: t.newBalancer.needsCertificate, missing: true } : undefined;
  });
  return problemsOf(entries);
}

export function upsert(draft: BalancerDraft, application: string, description: string): Asked {
  const listeners = draft.listeners.map((listener) => ({
    externalProtocol: listener.protocol,
    externalPort: listener.port === '' ? 'auto' : Number(listener.port),
    ...(isSecure(listener.protocol) ? { certificates: listener.certificates } : {}),
  }));
  const check = {
    healthCheckType: draft.check,
    ...(draft.check === 'HTTP' ? { requestPath: draft.path } : {}),
    // 0: each instance at its own port.
    port: Number(draft.checkPort),
    checkIntervalSec: Number(draft.interval),
    timeoutSec: Number(draft.timeout),
    healthyThreshold: Number(draft.healthy),
    unhealthyThreshold: Number(draft.unhealthy),
  };
  return {
    application,
    description,
    job: {
      type: 'upsertLoadBalancer',
      credentials: draft.account,
      region: draft.region,
      loadBalancerName: draft.name,
      listeners,
      ...(draft.check === 'none' ? {} : { healthCheck: check }),
      ...(draft.firewalls.length === 0 ? {} : { securityGroups: draft.firewalls }),
      ...draft.treatment,
    },
  };
}
