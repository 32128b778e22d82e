// What users had of a deployment: requests, failures and latencies of each server group, second by second, with the moments of the steps.

import { queryOptions } from '@tanstack/react-query';
import { answer, client } from './client';
import { flag, list, map, number, optNumber, text, texts } from './read';

export interface Second {
  /** The second's beginning, in milliseconds. */
  at: number;
  requests: number;
  failures: number;
  retries: number;
  /** Microseconds. */
  p50: number;
  p99: number;
}

export interface GroupPart {
  name: string;
  /** old, new, canary, baseline, other. */
  role: string;
  requests: number;
  failures: number;
  retries: number;
  p50: number;
  p99: number;
  seconds: Second[];
}

export interface BalancerPart {
  name: string;
  place: string;
  groups: GroupPart[];
  /** Requests that no instance could take, by second. */
  unserved: { at: number; requests: number }[];
}

export interface Step {
  name: string;
  type: string;
  status: string;
  startTime: number;
  endTime: number | undefined;
  inside: boolean;
}

export interface Report {
  execution: string;
  application: string;
  name: string;
  status: string;
  startTime: number | undefined;
  endTime: number | undefined;
  final: boolean;
  steps: Step[];
  balancers: BalancerPart[];
  total: { requests: number; failures: number; retries: number; unserved: number };
  notes: string[];
}

function readSecond(value: unknown): Second {
  const second = map(value);
  return {
    at: number(second.at),
    requests: number(second.requests),
    failures: number(second.failures),
    retries: number(second.retries),
    p50: number(second.p50_us),
    p99: number(second.p99_us),
  };
}

function readGroup(value: unknown): GroupPart {
  const group = map(value);
  const total = map(group.total);
  return {
    name: text(group.serverGroup),
    role: text(group.role, 'other'),
    requests: number(total.requests),
    failures: number(total.failures),
    retries: number(total.retries),
    p50: number(total.p50Us),
    p99: number(total.p99Us),
    seconds: list(group.seconds).map(readSecond).sort((a, b) => a.at - b.at),
  };
}

export function readReport(value: unknown): Report {
  const report = map(value);
  const total = map(report.total);
  return {
    execution: text(report.execution),
    application: text(report.application),
    name: text(report.name),
    status: text(report.status),
    startTime: optNumber(report.startTime),
    endTime: optNumber(report.endTime),
    final: flag(report.final),
    steps: list(report.steps).map((one) => {
      const step = map(one);
      return { name: text(step.name) || text(step.type), type: text(step.type), status: text(step.status), startTime: number(step.startTime), endTime: optNumber(step.endTime), inside: flag(step.inside) };
    }),
    balancers: list(report.loadBalancers).map((one) => {
      const balancer = map(one);
      return {
        name: text(balancer.name),
        place: [text(balancer.account), text(balancer.region)].filter((part) => part !== '').join(' / '),
        groups: list(balancer.groups).map(readGroup),
        unserved: list(balancer.unserved).map((second) => ({ at: number(map(second).at), requests: number(map(second).requests) })),
      };
    }),
    total: { requests: number(total.requests), failures: number(total.failures), retries: number(total.retries), unserved: number(total.unserved) },
    notes: texts(report.notes),
  };
}

export const reportQuery = (id: string) =>
  queryOptions({
    queryKey: ['run', id, 'report'],
    queryFn: async ({ signal }) => readReport(await answer(client.GET('/executions/{id}/deploymentReport', { params: { path: { id } }, signal }))),
  });

/** Stages that may move traffic, and so have a report. */
const MOVES = new Set([
  'deploy', 'createServerGroup', 'cloneServerGroup', 'copyLastAsg', 'resizeServerGroup', 'enableServerGroup', 'disableServerGroup', 'destroyServerGroup', 'disableCluster', 'scaleDownCluster',
  'shrinkCluster', 'shareTraffic', 'rollbackServerGroup', 'rollbackCluster', 'terminateInstances', 'terminateInstanceAndDecrementServerGroup',
]);

export function mayMoveTraffic(type: string): boolean {
  return MOVES.has(type);
}
