// How traffic moves to a new server group: the options of each strategy, its part of the job, and what it does to the groups that are there. Pure.

import { upCount, type ServerGroup } from '../../api/inventory';
import type { JsonMap } from '../../api/read';
import { numeric, type Problem } from '../../parts/problems';
import type { Texts } from '../../texts/en';

export const STRATEGIES = ['none', 'redblack', 'highlander', 'rollingredblack', 'rolling', 'canary'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** All options of all strategies, as they are typed; each strategy has a few. */
export interface Options {
  remaining: string;
  delay: string;
  scaleDown: boolean;
  rollback: boolean;
  shares: string;
  batch: string;
  endFirst: boolean;
  instances: string;
  minutes: string;
  requests: string;
  judgment: boolean;
}

export const OPTIONS: Options = {
  remaining: '',
  delay: '',
  scaleDown: false,
  rollback: true,
  shares: '25, 50',
  batch: '1',
  endFirst: false,
  instances: '1',
  minutes: '10',
  requests: '100',
  judgment: false,
};

/** Those that work by moving traffic need a group that gets some. */
export function movesTraffic(strategy: Strategy): boolean {
  return strategy === 'canary' || strategy === 'rolling' || strategy === 'rollingredblack';
}

export function sharesOf(text: string): number[] {
  return text.split(/[\s,]+/).filter((part) => part !== '').map(Number);
}

export function optionProblems(strategy: Strategy, options: Options, t: Texts): Record<string, Problem | undefined> {
  const count = { min: 1, whole: true };
  const pause = numeric(options.delay, { min: 0, whole: true, optional: true }, t);
  switch (strategy) {
    case 'redblack':
      return { remaining: numeric(options.remaining, { ...count, optional: true }, t), delay: pause };
    case 'rollingredblack': {
      const shares = sharesOf(options.shares);
      const rises = shares.every((share, at) => share > (shares[at - 1] ?? 0) && share <= 100);
      return { shares: rises ? undefined : { why: t.newGroup.badShares }, delay: pause };
    }
    case 'rolling':
      return { batch: numeric(options.batch, count, t), delay: pause };
    case 'canary':
      return { instances: numeric(options.instances, count, t), minutes: numeric(options.minutes, { min: 0.1 }, t), requests: numeric(options.requests, { min: 0, whole: true }, t) };
    default:
      return {};
  }
}

export function optionFields(strategy: Strategy, options: Options): JsonMap {
  const delay = options.delay.trim() === '' ? {} : { delayBeforeDisableSec: Number(options.delay) };
  const way = options.rollback ? { rollback: { onFailure: true } } : {};
  switch (strategy) {
    case 'redblack':
      return { ...(options.remaining.trim() === '' ? {} : { maxRemainingAsgs: Number(options.remaining) }), ...delay, ...(options.scaleDown ? { scaleDown: true } : {}), ...way };
    case 'rollingredblack':
      return { targetPercentages: sharesOf(options.shares), ...delay, ...way };
    case 'rolling':
      return { batchSize: Number(options.batch), ...(options.endFirst ? { maxSurge: 0 } : {}), ...delay, ...way };
    case 'canary':
      return { canary: { instances: Number(options.instances), lifetimeMinutes: Number(options.minutes), minimumRequests: Number(options.requests), ...(options.judgment ? { judgment: true } : {}) } };
    default:
      return {};
  }
}

export interface Outlook {
  lines: string[];
  /** Whether something is destroyed. */
  destroys: boolean;
}

const names = (groups: ServerGroup[]) => groups.map((one) => one.name).join(', ');

/** What becomes of the older groups of the cluster. `older`: the newest first. */
export function outlook(strategy: Strategy, options: Options, name: string, older: ServerGroup[], t: Texts): Outlook {
  const w = t.newGroup;
  if (older.length === 0) return { lines: strategy === 'none' ? [] : [w.first], destroys: false };
  const taking = older.filter((one) => !one.disabled);
  const losing = taking.length === 0 ? [] : [w.loses(names(taking), name)];
  const from = names(taking.slice(0, 1)) || names(older.slice(0, 1));
  switch (strategy) {
    case 'none':
      return { lines: [w.stays(names(older))], destroys: false };
    case 'highlander':
      return { lines: [w.destroys(older.map((one) => w.withInstances(one.name, one.instances.length)).join(', '), older.reduce((sum, one) => sum + upCount(one.instances), 0))], destroys: true };
    case 'redblack': {
      const most = Number(options.remaining);
      // The new one is the first of those that stay; one that has traffic is not ended.
      const ended = options.remaining.trim() === '' || !(most > 0) ? [] : older.slice(most - 1).filter((one) => one.disabled);
      return { lines: [...losing, ...(options.scaleDown && taking.length > 0 ? [w.shrinks(names(taking))] : []), ...(ended.length > 0 ? [w.ends(most, names(ended))] : [])], destroys: ended.length > 0 };
    }
    case 'rollingredblack':
      return { lines: [w.grows(name, [...new Set([...sharesOf(options.shares), 100])].map((share) => `${share}%`).join(', '), from)], destroys: false };
    case 'rolling':
      return { lines: [options.endFirst ? w.replacesEndFirst(options.batch, from) : w.replaces(options.batch, from)], destroys: false };
    case 'canary':
      return { lines: [w.compares(options.instances, options.minutes), ...losing], destroys: false };
  }
}
