import { describe, expect, it } from 'vitest';
import { readPiece } from '../../api/activity';
import { en } from '../../texts/en';
import { happening } from './events';
import { byDay, cell, csv, people, wantedOf } from './filter';

const run = { id: '1', application: 'shop', name: 'Deploy', status: 'TERMINAL', buildTime: 10_000, startTime: 10_000, endTime: 11_000, trigger: { type: 'manual', user: 'kim' } };
const operation = { root: '/r', id: 1, at: 5_000, who: '', command: 'repo add', changes: [{ kind: 'repo', name: 'main', what: 'changed', addedCount: 2 }] };
const saved = { thing: 'pipeline', id: 'P', application: 'shop', name: 'Deploy', revision: 2, deleted: false };
const { entries, next } = readPiece({
  happenings: [
    { at: 90_000, who: 'lee', kind: 'save', saved },
    { at: 80_000, who: 'lee', kind: 'save', saved: { ...saved, deleted: true } },
    { at: 10_000, who: 'kim', kind: 'run', execution: run },
    { at: 5_000, who: '', kind: 'repository', operation },
    { at: 4_000, who: 'kim', kind: 'notification', execution: run, notification: { id: 'N', execution: '1', event: 'pipeline.failed', kind: 'email', address: 'ops@example.org', at: 4_000, attempts: 6, error: 'no route' } },
    { at: 1, who: '', kind: 'task' },
  ],
  next: '{}',
});
const all = entries.flatMap((entry) => happening(entry, en) ?? []);

describe('what happened', () => {
  it('goes on where the server says', () => expect([entries.length, next]).toEqual([6, '{}']));
  it('is said in words; an entry that says nothing is left out', () => {
    expect(all.map((one) => one.what)).toEqual(['Saved pipeline Deploy', 'Deleted pipeline Deploy', 'Deploy', 'changed repository main +2', 'Could not tell ops@example.org by email that Deploy failed']);
    expect(all.map((one) => one.object)).toEqual(['shop', 'shop', 'shop', 'main', 'shop']);
    expect(all[2]?.key).toBe('run 1');
    expect(all[4]).toMatchObject({ key: 'notification N', detail: 'no route', said: { tone: 'bad', word: 'not told' }, to: { screen: 'run', application: 'shop', id: '1' } });
  });
  it('says who, also when nobody in particular', () => expect(people(all)).toEqual(['anonymous', 'kim', 'lee']));
  it('leads to where it is seen whole; what is deleted is not there any more', () =>
    expect(all.map((one) => one.to.screen)).toEqual(['pipeline', 'config', 'run', 'repositories', 'run']));
});

describe('the filter', () => {
  it('asks the server for what can be meant', () => {
    expect(wantedOf({ who: 'kim', kind: 'task', result: 'of another world', from: '1970-01-02', to: '1970-01-02' }, 'UTC')).toEqual({
      who: 'kim', object: undefined, kind: 'task', result: undefined, from: 86_400_000, to: 172_800_000,
    });
    expect(wantedOf({ to: 'soon' }, 'UTC').to).toBeUndefined();
  });

  it('parts the days', () => expect(byDay([{ ...all[0]!, at: 3e9 }, ...all], 'en').map((one) => one.happenings.length)).toEqual([1, 5]));
});

describe('the file', () => {
  it('has a row for each, and says when in UTC', () => {
    const lines = csv(all, en).split('\r\n');
    expect(lines).toHaveLength(7);
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
