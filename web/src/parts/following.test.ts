import { describe, expect, it } from 'vitest';
import { readTaskView } from '../api/execution';
import { en as t } from '../texts/en';
import { wordOf } from './following';

describe('what there is to say of a task', () => {
  const task = (status: string, stage: object) => readTaskView({ id: '1', status, execution: { stages: [{ type: 'createServerGroup', name: 'createServerGroup', status, ...stage }] } });
  it('is the step that it is at', () => expect(wordOf(task('RUNNING', { tasks: [{ name: 'monitorDeploy', status: 'RUNNING' }] }), t)).toContain('monitorDeploy'));
  it('is what it waits for, when it says so', () => {
    const waiting = { reason: '1 of 4 instances are up', since: 1 };
    expect(wordOf(task('RUNNING', { tasks: [{ name: 'waitForUpInstances', status: 'RUNNING', waiting }] }), t)).toBe(waiting.reason);
  });
  it('is why it failed', () => expect(wordOf(task('TERMINAL', { context: { exception: { details: { errors: ['no such folder'] } } } }), t)).toBe('no such folder'));
  it('is that somebody stopped it', () => expect(wordOf(task('CANCELED', {}), t)).toBe(t.run.whyCanceled));
  it('is that it begins, before there is more to say', () => expect(wordOf(readTaskView({ id: '1', status: 'NOT_STARTED' }), t)).toBe(t.wizards.begins));
});
