import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readExecution } from '../api/execution';
import { readServerGroup } from '../api/inventory';
import { en } from '../texts/en';
import { ofGroup, ofInstance, ofRun, ofStage, plain, TONES } from './status';

function run(status: string, stage: Record<string, unknown>, more: Record<string, unknown> = {}) {
  const found = readExecution({ id: 'r', status, stages: [{ id: 's', refId: '1', ...stage }], ...more });
  return { run: found, stage: found.stages[0]! };
}

describe('the language of states', () => {
  it('says each status of the API in one word', () => {
    const said = Object.fromEntries(
      ['RUNNING', 'SUCCEEDED', 'TERMINAL', 'FAILED_CONTINUE', 'CANCELED', 'STOPPED', 'SKIPPED', 'NOT_STARTED', 'PAUSED', 'SOMETHING_NEW'].map((status) => [status, Object.values(plain(status, en)).join(': ')]),
    );
    expect(said).toEqual({
      RUNNING: 'going: running',
      SUCCEEDED: 'well: succeeded',
      TERMINAL: 'bad: failed',
      FAILED_CONTINUE: 'despite: failed, continued',
      CANCELED: 'stopped: cancelled',
      STOPPED: 'stopped: stopped',
      SKIPPED: 'notrun: skipped',
      NOT_STARTED: 'notrun: not started',
      PAUSED: 'waiting: paused',
      SOMETHING_NEW: 'starting: unknown',
    });
  });

  it('tells a judgment that waits for me from a wait for something', () => {
    const open = run('RUNNING', { type: 'manualJudgment', status: 'RUNNING' });
    expect(ofStage(open.run, open.stage, en)).toEqual({ tone: 'judgment', word: 'needs judgment' });
    expect(ofRun(open.run, en).tone).toBe('judgment');
    const answered = run('RUNNING', { type: 'manualJudgment', status: 'RUNNING', context: { judgmentStatus: 'continue' } });
    expect(ofStage(answered.run, answered.stage, en).tone).toBe('going');
    const waits = run('RUNNING', { type: 'deploy', status: 'RUNNING', tasks: [{ id: '1', status: 'RUNNING', waiting: { reason: '2 of 4 are up', since: 1 } }] });
    expect(ofStage(waits.run, waits.stage, en).tone).toBe('waiting');
    expect(ofRun(waits.run, en).tone).toBe('going');
  });

  it('names who cancelled', () => {
    const { run: gone, stage } = run('CANCELED', { type: 'wait', status: 'CANCELED' }, { canceledBy: 'terry' });
    expect(ofRun(gone, en).word).toBe('cancelled by terry');
    expect(ofStage(gone, stage, en).word).toBe('cancelled by terry');
  });

  it('sums a server group up from its switch and its instances', () => {
    const group = (isDisabled: boolean, ...states: string[]) =>
      ofGroup(readServerGroup({ name: 'a-v000', isDisabled, instances: states.map((healthState, at) => ({ id: `i${at}`, healthState, health: [] })) }), en);
    expect(group(false, 'Up', 'Up')).toEqual({ tone: 'well', word: 'healthy' });
    expect(group(false, 'Up', 'Down')).toEqual({ tone: 'bad', word: '1 down' });
    expect(group(false, 'Down')).toEqual({ tone: 'bad', word: 'down' });
    expect(group(false, 'Up', 'Starting')).toEqual({ tone: 'starting', word: '1 starting' });
    expect(group(true, 'Up')).toEqual({ tone: 'notrun', word: 'disabled' });
    expect(group(false).tone).toBe('notrun');
    expect(ofInstance({ id: 'i', name: 'i', state: 'OutOfService', zone: undefined, launchTime: undefined, address: undefined, why: undefined }, en).word).toBe('out of service');
  });
});

// The tokens as they stand in the style sheet: `--name: light-dark(#light, #dark);`
const sheet = readFileSync('src/style/tokens.css', 'utf8');
const tokens = new Map([...sheet.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);/g)].map((found) => [found[1]!, [found[2]!, found[3]!] as const]));

function luminance(hex: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [high = 0, low = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (high + 0.05) / (low + 0.05);
}

describe.each([
  ['light', 0],
  ['dark', 1],
] as const)('the colours in the %s theme', (_name, theme) => {
  const colour = (name: string) => tokens.get(name)?.[theme] ?? '';

  it.each(TONES)('%s stands out from every ground it is drawn on', (tone) => {
    // Words in these colours are small, so they get more than the 3:1 that shapes need.
    for (const ground of ['ground', 'raised', 'sunken', 'accent-soft']) expect(contrast(colour(tone), colour(ground))).toBeGreaterThanOrEqual(4.5);
  });

  it('keeps texts readable', () => {
    for (const ink of ['ink', 'ink-soft', 'ink-faint', 'accent']) {
      for (const ground of ['ground', 'raised', 'sunken', 'accent-soft']) expect(contrast(colour(ink), colour(ground)), `${ink} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    }
    expect(contrast(colour('judgment-ink'), colour('judgment-fill'))).toBeGreaterThanOrEqual(4.5);
    expect(contrast(colour('accent-ink'), colour('accent'))).toBeGreaterThanOrEqual(4.5);
  });
});
