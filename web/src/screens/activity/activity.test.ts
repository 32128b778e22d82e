import { describe, expect, it } from 'vitest';
import { readExecution } from '../../api/execution';
import { readOperations } from '../../api/operations';
import { en } from '../../texts/en';
import { happenings } from './events';
import { beginOf, byDay, cell, csv, people, shownOf } from './filter';

const run = (id: string, at: number, more: Record<string, unknown> = {}) => readExecution({ id, application: 'shop', name: 'Deploy', status: 'SUCCEEDED', buildTime: at, startTime: at, endTime: at + 1000, trigger: { type: 'manual', user: 'kim' }, ...more });
const operations = readOperations({ operations: [{ root: '/r', id: 1, at: 5_000, who: '', command: 'repo add', changes: [{ kind: 'repo', name: 'main', what: 'changed', addedCount: 2 }] }] });
const all = happenings(
  {
    runs: [run('1', 10_000, { status: 'TERMINAL' })],
    tasks: [run('2', 20_000, { name: 'Update', trigger: { user: '[anonymous]' } })],
    operations,
    saved: [
      { application: 'shop', pipeline: '', at: 20_500, who: 'kim' },
      { application: 'shop', pipeline: 'Deploy', at: 90_000, who: 'lee' },
      { application: 'shop', pipeline: 'Never', at: undefined, who: '' },
    ],
  },
  en,
);

describe('what happened', () => {
  it('is one list, the newest first; a save by a task is the task', () => expect(all.map((one) => one.kind)).toEqual(['save', 'task', 'run', 'repository']));
  it('says who, also when nobody in particular', () => expect(people(all)).toEqual(['anonymous', 'kim', 'lee']));
  it('says what was done in a repository', () => expect(all[3]).toMatchObject({ what: 'changed repository main +2', object: 'main', who: 'anonymous' }));
});

describe('the filter', () => {
  it.each([
    [{}, 4],
    [{ who: 'kim' }, 1],
    [{ kind: 'task' }, 1],
    [{ kind: 'of another world' }, 4],
    [{ result: 'failed' }, 1],
    [{ object: 'shop dep' }, 2],
    [{ from: '1970-01-02' }, 0],
    [{ to: '1970-01-01' }, 4],
    [{ to: 'soon' }, 4],
  ])('%j leaves %d', (filter, left) => expect(shownOf(all, filter, 'UTC')).toHaveLength(left));

  it('knows when a day begins', () => {
    expect(beginOf('1970-01-02', 'UTC')).toBe(86_400_000);
    expect(beginOf('2026-13-40', 'UTC')).toBeUndefined();
  });

  it('parts the days', () => expect(byDay([{ ...all[0]!, at: 3e9 }, ...all], 'en').map((one) => one.happenings.length)).toEqual([1, 4]));
});

describe('the file', () => {
  it('has a row for each, and says when in UTC', () => {
    const lines = csv(all, en).split('\r\n');
    expect(lines).toHaveLength(6);
    expect(lines[3]).toBe('1970-01-01T00:00:10.000Z,kim,run,shop,Deploy,started by hand,failed');
  });
  it.each([
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['=1+1', "'=1+1"],
    ['@cmd,x', '"\'@cmd,x"'],
  ])('%s is written %s', (value, expected) => expect(cell(value)).toBe(expected));
});
