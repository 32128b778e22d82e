// Readers of reports, consoles, guards and what a run was held by: the least fields are enough.

import { expect, it } from 'vitest';
import { readSettings } from './accounts';
import { readTokens } from './tokens';
import { readGuards } from './application';
import { readConsole } from './console';
import { readExecution } from './execution';
import { readReport } from './report';

it('a report of nothing is empty', () => expect(readReport(null)).toMatchObject({ steps: [], balancers: [], total: { requests: 0, failures: 0 }, final: false }));

it('seconds of a report stand in order', () => {
  const [balancer] = readReport({ loadBalancers: [{ name: 'lb', groups: [{ serverGroup: 'v0', seconds: [{ at: 2, requests: '3', p99_us: 5 }, { at: 1 }] }] }] }).balancers;
  expect(balancer?.groups[0]?.seconds.map((second) => [second.at, second.requests, second.p99])).toEqual([[1, 0, 0], [2, 3, 5]]);
});

it('a console is one text, or one for each container', () => {
  const lines = (output: unknown) => readConsole({ output }, 5).log.lines.map((line) => line.text);
  expect(lines('a\nb\n')).toEqual(['a', 'b']);
  expect(lines([{ name: 'x', output: 'a' }, { output: 'b' }])).toEqual(['a', 'b']);
  expect(lines('')).toEqual([]);
});

it('a guard that is switched off guards nothing', () => {
  const guards = readGuards({ trafficGuards: [{ account: 'a', location: '*', stack: '', detail: '' }, { account: 'b', enabled: false }] });
  expect(guards.filter((guard) => guard.enabled).map((guard) => guard.account)).toEqual(['a']);
});

it('a run says by whom it was held', () => {
  expect(readExecution({ paused: { pausedBy: 'ann', pauseTime: 5, resumeTime: null } }).paused).toEqual({ by: 'ann', at: 5, until: undefined });
  expect(readExecution({}).paused).toBeUndefined();
});

it('settings tell the zone, or nothing', () => {
  expect(readSettings({ zone: 'Asia/Seoul', tokens: [] })).toEqual({ zone: 'Asia/Seoul' });
  expect(readSettings(null)).toEqual({ zone: '' });
});

it('tokens tell whose they are, for what, and who made them where the server did', () => {
  const kept = { name: 'ci', role: 'operator', application: 'shop', who: 'kim', created: 1_700_000_000_000 };
  expect(readTokens([{ ...kept, own: 1 }, { name: 'root', role: 'admin' }, { role: 'admin' }, 3])).toEqual([
    { name: 'ci', role: 'operator', application: 'shop', made: { who: 'kim', at: 1_700_000_000_000 } },
    { name: 'root', role: 'admin', application: undefined, made: undefined },
  ]);
  expect(readTokens(null)).toEqual([]);
});
