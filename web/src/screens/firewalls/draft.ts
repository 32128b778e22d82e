// A firewall as it is typed: from its rules to the job that makes it so, and what is wrong with it. Pure.

import type { Firewall, Rule } from '../../api/choices';
import type { Named } from '../../api/named';
import type { Balancer, ServerGroup } from '../../api/inventory';
import type { Asked } from '../../api/jobs';
import { needed, network, ownedName, problemsOf, type Problem, type Problems } from '../../parts/problems';
import type { Texts } from '../../texts/en';

export type Spoken = 'tcp' | 'udp' | 'all';

export interface RuleDraft {
  protocol: Spoken;
  /** `80`, `8000-8080`; empty: all. */
  ports: string;
  from: string;
}

export interface FirewallDraft {
  name: string;
  account: string;
  region: string;
  description: string;
  rules: RuleDraft[];
}

const ALL = { first: 1, last: 65535 };

/** `80`, `8000-8080`; nothing when it is every port. */
export function portsOf({ first, last }: Pick<Rule, 'first' | 'last'>): string {
  if (first <= ALL.first && last >= ALL.last) return '';
  return first === last ? String(first) : `${first}-${last}`;
}

/** The rules, each once; the same for TCP and for UDP is one for both. */
export function rulesOf(firewall: Firewall): RuleDraft[] {
  const rules = new Map<string, RuleDraft>();
  for (const rule of firewall.rules) {
    const protocol = rule.protocol === 'udp' ? 'udp' : 'tcp';
    const ports = portsOf(rule);
    const key = `${ports} ${rule.from}`;
    const have = rules.get(key);
    rules.set(key, { protocol: have === undefined || have.protocol === protocol ? protocol : 'all', ports, from: rule.from });
  }
  return [...rules.values()];
}

export function draftOf(firewall: Firewall): FirewallDraft {
  const { name, account, region, description } = firewall;
  return { name, account, region, description, rules: rulesOf(firewall) };
}

function readPorts(text: string): Pick<Rule, 'first' | 'last'> | undefined {
  if (text.trim() === '') return ALL;
  const found = /^\s*(\d{1,5})\s*(?:-\s*(\d{1,5})\s*)?$/.exec(text);
  if (found === null) return undefined;
  const first = Number(found[1]);
  const last = Number(found[2] ?? found[1]);
  return first <= last && last <= ALL.last ? { first, last } : undefined;
}

export function problemsOfFirewall(draft: FirewallDraft, application: string, taken: string[], t: Texts): Problems {
  const entries: Record<string, Problem | undefined> = {
    name: ownedName(t.firewalls.part, application, draft.name, t) ?? (taken.includes(draft.name) ? { why: t.wizards.taken(t.firewalls.part, draft.name) } : undefined),
  };
  draft.rules.forEach((rule, at) => {
    entries[`ports${at}`] = readPorts(rule.ports) === undefined ? { why: t.firewalls.badPorts(rule.ports) } : undefined;
    entries[`from${at}`] = needed(rule.from, t.wizards.needed) ?? network(rule.from.trim(), t);
  });
  return problemsOf(entries);
}

export function upsert(draft: FirewallDraft, application: string, description: string): Asked {
  const ipIngress = draft.rules.map((rule) => {
    const { first, last } = readPorts(rule.ports) ?? ALL;
    const ports = first === ALL.first && last === ALL.last ? {} : { startPort: first, endPort: last };
    return { type: rule.protocol, cidr: rule.from.trim(), ...ports };
  });
  return {
    application,
    description,
    job: { type: 'upsertSecurityGroup', credentials: draft.account, region: draft.region, securityGroupName: draft.name, description: draft.description.trim(), ipIngress },
  };
}

export interface Behind {
  name: string;
  kind: 'balancer' | 'group';
}

const NONE: Behind[] = [];

const keyOf = ({ account, region, name }: Named) => `${account}\n${region}\n${name}`;

/** What is behind each firewall: looked through once, for there may be many of everything. */
export function allBehind(balancers: Balancer[], groups: ServerGroup[]): (firewall: Named) => Behind[] {
  const found = new Map<string, Behind[]>();
  const look = (kind: Behind['kind'], all: (Named & { firewalls: string[] })[]) => {
    for (const { account, region, name, firewalls } of all) {
      for (const firewall of new Set(firewalls)) {
        const key = keyOf({ account, region, name: firewall });
        const behind = found.get(key) ?? [];
        behind.push({ name, kind });
        found.set(key, behind);
      }
    }
  };
  look('balancer', balancers);
  look('group', groups);
  return (firewall) => found.get(keyOf(firewall)) ?? NONE;
}
