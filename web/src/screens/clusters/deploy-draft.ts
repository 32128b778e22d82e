// A server group as it is typed: from an application or from a group that is copied, to the job that makes it. Pure.

import type { Asked } from '../../api/jobs';
import type { ServerGroup } from '../../api/inventory';
import type { JsonMap } from '../../api/read';
import type { Pair } from '../../parts/form';
import { needed, numeric, problemsOf, type Problem, type Problems } from '../../parts/problems';
import type { Texts } from '../../texts/en';
import { clusterName, partProblems } from './naming';
import { movesTraffic, optionFields, optionProblems, OPTIONS, type Options, type Strategy } from './strategies';

export type Runs = 'image' | 'package' | 'folder';

export interface GroupDraft {
  account: string;
  region: string;
  stack: string;
  detail: string;
  runs: Runs;
  image: string;
  package: string;
  /** The publication that the package comes from, as `prefix distribution`; empty: the one that has it. */
  publication: string;
  folder: string;
  balancers: string[];
  firewalls: string[];
  traffic: boolean;
  instanceType: string;
  /** Over all zones of the region, or only `zones`. */
  spread: boolean;
  zones: string[];
  desired: string;
  ranged: boolean;
  min: string;
  max: string;
  strategy: Strategy;
  options: Options;
  env: Pair[];
}

export function newGroup(at: { account: string; region: string }, balancers: string[], runs: Runs): GroupDraft {
  return {
    ...at,
    stack: '',
    detail: '',
    runs,
    image: '',
    package: '',
    publication: '',
    folder: '',
    balancers,
    firewalls: [],
    traffic: true,
    instanceType: '',
    spread: true,
    zones: [],
    desired: '2',
    ranged: false,
    min: '2',
    max: '2',
    strategy: 'redblack',
    options: OPTIONS,
    env: [],
  };
}

/** As a group that exists, to be changed before it is made. `zones`: all of its region. */
export function copyOf(group: ServerGroup, zones: string[]): GroupDraft {
  const { min, desired, max } = group.capacity;
  const rest = group.name.replace(/-v\d{3,6}$/, '').slice(group.application.length + 1);
  const [stack = '', ...detail] = rest.split('-');
  const isFolder = group.image?.startsWith('/') === true;
  const spread = zones.every((zone) => group.zones.includes(zone));
  return {
    ...newGroup({ account: group.account, region: group.region }, group.balancers, isFolder ? 'folder' : 'image'),
    stack,
    detail: detail.join('-'),
    image: isFolder ? '' : (group.image ?? ''),
    folder: isFolder ? (group.image ?? '') : '',
    firewalls: group.firewalls,
    instanceType: group.instanceType ?? '',
    spread,
    zones: spread ? [] : group.zones,
    desired: String(desired),
    ranged: min !== desired || max !== desired,
    min: String(min),
    max: String(max),
  };
}

export function clusterOf(draft: GroupDraft, application: string): string {
  return clusterName({ application, stack: draft.stack, detail: draft.detail });
}

const MOST = 1000;

export function problemsOfGroup(draft: GroupDraft, application: string, t: Texts): Problems {
  const count = { min: 0, max: MOST, whole: true };
  const [min, desired, max] = [Number(draft.min), Number(draft.desired), Number(draft.max)];
  const order = draft.ranged && !(min <= desired && desired <= max) ? { why: t.newGroup.notAscending(min, desired, max) } : undefined;
  const image = draft.image.trim();
  const entries: Record<string, Problem | undefined> = {
    ...partProblems({ application, stack: draft.stack, detail: draft.detail }, t),
    image: draft.runs === 'image' ? needed(image, t.newGroup.needsImage) : undefined,
    package: draft.runs === 'package' ? needed(draft.package, t.newGroup.needsPackage) : undefined,
    folder: draft.runs !== 'folder' ? undefined : (needed(draft.folder, t.newGroup.needsFolder) ?? (draft.folder.trim().startsWith('/') ? undefined : { why: t.newGroup.notWhole })),
    zones: !draft.spread && draft.zones.length === 0 ? { why: t.newGroup.needsZone, missing: true } : undefined,
    desired: numeric(draft.desired, count, t),
    min: draft.ranged ? numeric(draft.min, count, t) : undefined,
    max: draft.ranged ? (numeric(draft.max, count, t) ?? order) : undefined,
    strategy: !draft.traffic && movesTraffic(draft.strategy) ? { why: t.newGroup.needsTraffic } : undefined,
    ...optionProblems(draft.strategy, draft.options, t),
  };
  draft.env.forEach((row, at) => {
    const twice = draft.env.findIndex((other) => other.key === row.key) < at;
    const bad = /^[A-Za-z_][A-Za-z0-9_]*$/.test(row.key) ? undefined : { why: t.newGroup.badVariable };
    entries[`env${at}`] = needed(row.key, t.wizards.needed) ?? bad ?? (twice ? { why: t.newGroup.twice(row.key) } : undefined);
  });
  return problemsOf(entries);
}

function source(draft: GroupDraft): JsonMap {
  if (draft.runs === 'folder') return { image: draft.folder.trim() };
  if (draft.runs === 'image') return { image: draft.image.trim() };
  const [prefix, distribution] = draft.publication.split(' ');
  return { package: draft.package.trim(), ...(distribution === undefined ? {} : { repository: { prefix, distribution } }) };
}

/** `zones`: all of the region; a copy has to be told them, or it takes those of what it is made from. */
export function creation(draft: GroupDraft, application: string, name: string, copied: ServerGroup | undefined, zones: string[]): Asked {
  const desired = Number(draft.desired);
  const chosen = draft.spread ? zones : draft.zones;
  const job = {
    type: copied === undefined ? 'createServerGroup' : 'cloneServerGroup',
    credentials: draft.account,
    region: draft.region,
    application,
    ...(draft.stack === '' ? {} : { stack: draft.stack }),
    ...(draft.detail === '' ? {} : { freeFormDetails: draft.detail }),
    ...(copied === undefined ? {} : { source: { account: copied.account, region: copied.region, serverGroupName: copied.name } }),
    ...source(draft),
    capacity: { min: draft.ranged ? Number(draft.min) : desired, desired, max: draft.ranged ? Number(draft.max) : desired },
    loadBalancers: draft.balancers,
    ...(draft.firewalls.length === 0 && copied === undefined ? {} : { securityGroups: draft.firewalls }),
    ...(draft.instanceType.trim() === '' ? {} : { instanceType: draft.instanceType.trim() }),
    ...(draft.spread && copied === undefined ? {} : { availabilityZones: { [draft.region]: chosen } }),
    strategy: draft.strategy,
    ...optionFields(draft.strategy, draft.options),
    ...(draft.env.length === 0 ? {} : { env: Object.fromEntries(draft.env.map((row) => [row.key, row.value])) }),
    ...(draft.traffic ? {} : { enableTraffic: false }),
  };
  return { application, description: copied === undefined ? `Create server group: ${name}` : `Clone server group: ${copied.name} as ${name}`, job };
}
