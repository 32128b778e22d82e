import { describe, expect, it } from 'vitest';
import { en } from '../../texts/en';
import { ko } from '../../texts/ko';
import { triggerName } from '../../parts/started';
import { fitting, newStage, offersOf } from './kinds';
import { numberOf } from './plain';
import { fieldsOf, kindOf } from './schema';
import { TRIGGERS, newTrigger, triggerSchema } from './trigger-forms';
import { readEditorSearch } from './views';

describe('the stage types to choose from', () => {
  it('are those that the server tells, the most used first', () => {
    const told = { common: {}, kinds: new Map([['zebra', undefined], ['noop', undefined], ['wait', {}]]) };
    expect(offersOf(told, en).map((offer) => offer.type)).toEqual(['wait', 'noop', 'zebra']);
    expect(offersOf(undefined, en).length).toBeGreaterThan(30);
  });

  it('are found by their name or by what they do', () => {
    const offers = offersOf(undefined, en);
    expect(fitting(offers, 'manualj').map((offer) => offer.type)).toEqual(['manualJudgment']);
    expect(fitting(offers, 'person answers').map((offer) => offer.type)).toEqual(['manualJudgment']);
  });

  it('begin with what most stages of the type have, each with its own', () => {
    const stage = newStage('evaluateVariables', 'v', 'shop');
    (stage.variables as unknown[]).push(1);
    expect(newStage('evaluateVariables', 'v', 'shop')).toEqual({ type: 'evaluateVariables', name: 'v', variables: [] });
    expect(newStage('unknown', 'u', 'shop')).toEqual({ type: 'unknown', name: 'u' });
  });
});

describe('the forms of triggers', () => {
  it('know every field that a new trigger begins with', () => {
    for (const type of TRIGGERS) {
      const schema = triggerSchema(type, en, [], []);
      const keys = fieldsOf(schema ?? {}, schema ?? {}).map((field) => field.key);
      for (const key of Object.keys(newTrigger(type, 'shop'))) if (key !== 'type' && key !== 'enabled') expect(keys, type).toContain(key);
    }
    expect(triggerSchema('jenkins', en, [], [])).toBe(undefined);
  });

  it('are named and labelled in the language of the page', () => {
    const labels = (type: string, t: typeof en) => fieldsOf({}, triggerSchema(type, t, [], []) ?? {}).map((field) => field.label);
    expect(labels('cron', en)).toEqual(['Cron expression', 'Time zone', 'Runs as']);
    for (const type of TRIGGERS) for (const label of labels(type, ko)) expect(label).toMatch(/[가-힣]/);
    expect([triggerName('cron', ko), triggerName('git', en), triggerName('jenkins', ko), triggerName('constructor', ko)]).toEqual(['정기 실행', 'git', 'jenkins', 'constructor']);
  });

  it('offer pipelines by their names', () => {
    const schema = triggerSchema('pipeline', en, ['shop'], [{ id: 'u-1', name: 'Ship' }]) ?? {};
    const pipeline = fieldsOf(schema, schema).find((field) => field.key === 'pipeline');
    expect(kindOf(schema, pipeline?.schema, '')).toEqual({ is: 'choice', of: [{ value: 'u-1', title: 'Ship', help: undefined }] });
  });
});

describe('typing and addresses', () => {
  it('makes numbers only of what would be written the same', () => {
    expect(['', '3', '-1', '1.', '1.0', '1.5', 'soon', '1e3', '0x1'].map(numberOf)).toEqual([undefined, 3, -1, '1.', '1.0', 1.5, 'soon', '1e3', '0x1']);
  });

  it('takes of an address what it may say', () => {
    expect(readEditorSearch({ stage: 3, view: 'json', panel: 'history', version: 2, other: 1 })).toEqual({ stage: '3', view: 'json', panel: 'history', version: 2 });
    expect(readEditorSearch({ stage: {}, view: 'x', panel: '', version: 1.5 })).toEqual({});
  });
});
