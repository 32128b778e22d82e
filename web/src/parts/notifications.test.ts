import { describe, expect, it } from 'vitest';
import { en } from '../texts/en';
import { ko } from '../texts/ko';
import { eventsOf, KINDS, knownOf, messageOf, newNotification, withMessage, withWhen } from './notifications';

describe('a notification', () => {
  it('of a pipeline tells of other things than one of a stage', () => {
    expect(eventsOf(undefined)).toEqual(['pipeline.starting', 'pipeline.complete', 'pipeline.failed']);
    expect(eventsOf('wait')).toEqual(['stage.starting', 'stage.complete', 'stage.failed']);
    expect(eventsOf('manualJudgment')[0]).toBe('manualJudgment');
  });

  it('begins with what can happen and with fields that its form knows', () => {
    for (const stage of [undefined, 'wait', 'manualJudgment']) {
      for (const kind of KINDS) {
        const made = newNotification(kind, stage === undefined ? 'pipeline' : 'stage', stage);
        expect(eventsOf(stage)).toContain((made.when as string[])[0]);
        for (const key of Object.keys(made)) expect(knownOf(kind, en)).toContain(key);
      }
    }
  });

  it('has a message for each event, and keeps what else stands there', () => {
    const found = { type: 'email', message: { 'pipeline.failed': { text: 'no', own: 1 }, 'pipeline.complete': { text: 'yes' } } };
    expect(messageOf(found, 'pipeline.failed')).toBe('no');
    expect(messageOf(found, 'pipeline.starting')).toBe('');
    expect(withMessage(found, 'pipeline.failed', 'oh').message).toEqual({ 'pipeline.failed': { own: 1, text: 'oh' }, 'pipeline.complete': { text: 'yes' } });
    expect(withMessage(found, 'pipeline.failed', '').message).toEqual({ 'pipeline.failed': { own: 1 }, 'pipeline.complete': { text: 'yes' } });
    expect(withMessage(found, 'pipeline.complete', '').message).toEqual({ 'pipeline.failed': { text: 'no', own: 1 } });
    expect(withMessage({ type: 'x', message: { a: { text: 'b' } } }, 'a', '')).toEqual({ type: 'x' });
    expect(withMessage({ type: 'x' }, 'a', '')).toEqual({ type: 'x' });
  });

  it('keeps the order of what happens, and events that nobody knows', () => {
    const events = eventsOf(undefined);
    expect(withWhen({ when: ['pipeline.failed', 'own'] }, 'pipeline.starting', true, events)).toEqual(['pipeline.starting', 'pipeline.failed', 'own']);
    expect(withWhen({ when: ['pipeline.failed', 'own'] }, 'own', false, events)).toEqual(['pipeline.failed']);
    expect(withWhen({}, 'pipeline.complete', true, events)).toEqual(['pipeline.complete']);
  });

  it('has a word for each kind that is offered', () => {
    for (const kind of KINDS) for (const t of [en, ko]) expect(Object.keys(t.notify.kinds)).toContain(kind);
  });
});
