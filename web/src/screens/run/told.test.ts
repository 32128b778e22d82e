import { describe, expect, it } from 'vitest';
import { readExecution } from '../../api/execution';
import { readTold } from '../../api/notifications';
import { en } from '../../texts/en';
import { stateOf, whatOf } from './told';

const run = readExecution({ id: 'R', name: 'Ship', stages: [{ id: 'S', refId: '1', type: 'manualJudgment', name: 'Keep it?' }] });
const told = readTold({ id: 'N', execution: 'R', event: 'pipeline.failed', kind: 'webhook', address: 'http://chat.example.org/', at: 1000, attempts: 1 });

describe('what a run told', () => {
  it('is of the run, or of a stage by its name', () => {
    expect(whatOf(told, run, en)).toBe('the run failed');
    expect(whatOf({ ...told, stage: 'S', event: 'manualJudgment' }, run, en)).toBe('Keep it? asks somebody');
    expect(whatOf({ ...told, stage: 'gone', event: 'stage.failed' }, run, en)).toBe('a stage of Ship failed');
  });

  it('is known to somebody, on its way, tried again, or given up', () => {
    const states = [told, { ...told, due: 2000, attempts: 0 }, { ...told, due: 2000, error: 'it answered 503' }, { ...told, error: 'it answered 404' }];
    expect(states.map((one) => stateOf(one, en))).toEqual([
      { tone: 'well', word: 'told' },
      { tone: 'going', word: 'on its way' },
      { tone: 'waiting', word: 'not told yet' },
      { tone: 'bad', word: 'not told' },
    ]);
  });

  it('is read of what the server says, in which absent is nothing', () => {
    expect([told.stage, told.due, told.error]).toEqual([undefined, undefined, undefined]);
    expect(readTold({ ...told, due: 5, error: 'no', stage: null })).toMatchObject({ due: 5, error: 'no', stage: undefined });
  });
});
