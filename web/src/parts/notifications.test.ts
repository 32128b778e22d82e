import { describe, expect, it } from 'vitest';
import { en } from '../texts/en';
import { ko } from '../texts/ko';
import { addressOf, eventsOf, happenedWord, KINDS, knownOf, lackOf, messageOf, newNotification, offeredKinds, trialBar, withMessage, withWhen } from './notifications';

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

  it('that the server cannot send says what is missing', () => {
    expect(['email', 'slack', 'webhook', 'sms'].map((kind) => lackOf(kind, ['email', 'webhook']))).toEqual([undefined, 'configuration', undefined, 'unknown']);
    expect(en.notify.lacks.configuration('slack')).toContain('[notifications.slack]');
  });

  it('is offered by kinds that are sent before those that are only kept', () => {
    const { sent, others } = offeredKinds(['webhook', 'email']);
    expect(sent).toEqual(['webhook', 'email']);
    expect(others).toEqual(['slack', 'googlechat', 'microsoftteams', 'sms', 'pubsub', 'githubStatus', 'cdevents', 'bearychat']);
    expect(offeredKinds([]).others).toEqual(KINDS);
  });

  it('can be tried where it names a place that is known now, by those who may', () => {
    const mail = { type: 'email', address: 'ops@example.org' };
    expect(trialBar(mail, ['email'], false)).toBe(undefined);
    expect(trialBar(mail, undefined, false)).toBe('kind');
    expect(trialBar(mail, ['webhook'], false)).toBe('kind');
    expect(trialBar(mail, ['email'], true)).toBe('viewer');
    expect(trialBar({ ...mail, address: ' ' }, ['email'], false)).toBe('address');
    expect(trialBar({ ...mail, cc: '${trigger.user}' }, ['email'], false)).toBe('expression');
    expect(trialBar({ type: 'email', address: ['a@example.org', '${b}'] }, ['email'], false)).toBe('expression');
  });

  it('may have several addresses in a list', () => expect([addressOf({ address: ['a', 'b'] }), addressOf({ address: 'c' }), addressOf({})]).toEqual(['a, b', 'c', '']));

  it('says what happened, to a run or to a stage', () => {
    expect(happenedWord('pipeline.failed', 'Ship', en)).toBe('Ship failed');
    expect(happenedWord('manualJudgment', '배포할까요?', ko)).toBe('배포할까요? 판단 요청');
    expect(happenedWord('own.event', 'Ship', en)).toBe('Ship: own.event');
    expect(happenedWord('constructor', 'Ship', en)).toBe('Ship: constructor');
    for (const event of [...eventsOf(undefined), ...eventsOf('manualJudgment')]) expect(Object.keys(en.notify.happened)).toContain(event);
  });
});
