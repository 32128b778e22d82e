// What the palette lists: everything found and every screen and action, in groups, the best first. Pure.

import { defaultStringifySearch } from '@tanstack/react-router';
import type { Execution } from '../api/execution';
import type { Package } from '../api/repositories';
import type { Found } from '../api/search';
import type { Drawing } from '../parts/icons';
import { plain } from '../parts/status';
import type { Texts } from '../texts/en';
import { found, letters } from './hangul';

export const GROUPS = ['recent', 'applications', 'pipelines', 'serverGroups', 'loadBalancers', 'instances', 'packages', 'runs', 'projects', 'screens', 'actions'] as const;
export type Group = (typeof GROUPS)[number];

export interface Entry {
  group: Group;
  /** Tells it from all others. */
  key: string;
  title: string;
  detail: string;
  drawing: Drawing;
  /** The address below the page's own. */
  to?: string;
  /** What else it does, by name: see palette.tsx. */
  act?: string;
  /** Words that find it besides its title and detail. */
  words?: string;
}

export interface Grouped {
  group: Group;
  entries: Entry[];
  /** How many more there are. */
  more: number;
}

const DRAWINGS: Record<Exclude<Group, 'recent'>, Drawing> = {
  applications: 'applications',
  pipelines: 'pipeline',
  serverGroups: 'servers',
  loadBalancers: 'balancer',
  instances: 'servers',
  packages: 'repositories',
  runs: 'activity',
  projects: 'projects',
  screens: 'right',
  actions: 'play',
};

/** An address with its search part, as the router writes it. */
export function address(path: string, search: Record<string, string> = {}): string {
  return path + defaultStringifySearch(search);
}

function inside(application: string, screen: string, search: Record<string, string> = {}): string {
  return address(`/applications/${encodeURIComponent(application)}/${screen}`, search);
}

function entry(group: Exclude<Group, 'recent'>, name: string, detail: string, to: string, words = ''): Entry {
  return { group, key: `${group} ${to}`, title: name, detail, drawing: DRAWINGS[group], to, words };
}

export function ofFound({ kind, name, application, place, account, region, group }: Found): Entry {
  const where = [application, place].filter((part) => part !== '' && part !== name).join(' · ');
  switch (kind) {
    case 'application':
      return entry('applications', name, '', inside(name, 'pipelines'));
    case 'pipeline':
      return entry('pipelines', name, application, inside(application, 'pipelines', { pipeline: name }));
    case 'serverGroup':
      return entry('serverGroups', name, where, inside(application, 'clusters', { group: name, account, region }));
    case 'instance':
      return entry('instances', name, where, inside(application, 'clusters', { group, account, region, instance: name }));
    case 'loadBalancer':
      return entry('loadBalancers', name, where, inside(application, 'load-balancers', { balancer: name, account, region }));
    case 'project':
      return entry('projects', name, '', address(`/projects/${encodeURIComponent(name)}`));
  }
}

export function ofRunEntry(run: Execution, t: Texts): Entry {
  const to = inside(run.application, `runs/${encodeURIComponent(run.id)}`);
  return entry('runs', run.name, `${run.application} · ${plain(run.status, t).word} · …${run.id.slice(-6)}`, to, run.id);
}

/** Packages by name: one entry for each, with its versions; all of them are one search away. */
export function ofPackages(repositories: { name: string; packages: Package[] }[]): Entry[] {
  const places = new Map<string, { name: string; repository: string; versions: Set<string> }>();
  for (const repository of repositories) {
    for (const one of repository.packages) {
      const key = `${repository.name} ${one.name}`;
      const place = places.get(key) ?? { name: one.name, repository: repository.name, versions: new Set<string>() };
      places.set(key, place);
      place.versions.add(one.version);
    }
  }
  return [...places.entries()].map(([key, { name, repository, versions }]) => ({
    ...entry('packages', name, `${repository} · ${[...versions].slice(0, 4).join(', ')}${versions.size > 4 ? ' …' : ''}`, address('/repositories', { q: name }), [...versions].join(' ')),
    key: `packages ${key}`,
  }));
}

/** How well a title fits: the whole, its beginning, the beginning of a word, anywhere, not in the title. Less is better. */
export function distance(title: string, typed: string): number {
  const [whole, part] = [letters(title), letters(typed.trim())];
  if (whole === part) return 0;
  if (whole.startsWith(part)) return 1;
  const at = whole.indexOf(part);
  if (at > 0) return /[\s\-_./]/.test(whole[at - 1] ?? '') ? 2 : 3;
  return 4;
}

const SHOWN = 6;

/** What fits what was typed, by group; the group with the best of all comes first. */
export function arranged(entries: Entry[], typed: string): Grouped[] {
  const once = new Map<string, Entry>();
  for (const one of entries) if (!once.has(one.key) && found(`${one.title} ${one.detail} ${one.words ?? ''}`, typed)) once.set(one.key, one);
  const groups = GROUPS.map((group) => {
    const own = [...once.values()].filter((one) => one.group === group);
    // The runs come newest first, and stay so.
    const sorted = group === 'runs' ? own : own.sort((a, b) => distance(a.title, typed) - distance(b.title, typed) || a.title.length - b.title.length || a.title.localeCompare(b.title));
    return { group, entries: sorted.slice(0, SHOWN), more: Math.max(0, sorted.length - SHOWN) };
  }).filter(({ entries }) => entries.length > 0);
  const best = ({ entries }: Grouped) => Math.min(...entries.map((one) => distance(one.title, typed)));
  return groups.sort((a, b) => best(a) - best(b) || GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group));
}

/** What stands there before anything is typed: where one was, then where one can go, then what one can do. */
export function atFirst(recent: Entry[], screens: Entry[]): Grouped[] {
  const before = recent.map((one): Entry => ({ ...one, group: 'recent', key: `recent ${one.key}` }));
  const of = (group: Group) => screens.filter((one) => one.group === group);
  return [
    { group: 'recent' as const, entries: before, more: 0 },
    { group: 'screens' as const, entries: of('screens'), more: 0 },
    { group: 'actions' as const, entries: of('actions'), more: 0 },
  ].filter(({ entries }) => entries.length > 0);
}
