// The one language of states: every status of the API becomes a tone (shape and colour) and a word. Pure; drawn in mark.tsx.

import { isOpenJudgment, openJudgments, waitingOf, type Execution, type Stage } from '../api/execution';
import { upCount, type Instance, type ServerGroup } from '../api/inventory';
import type { Texts } from '../texts/en';

export const TONES = ['going', 'waiting', 'judgment', 'well', 'bad', 'despite', 'stopped', 'notrun', 'starting'] as const;
export type Tone = (typeof TONES)[number];

export interface Said {
  tone: Tone;
  word: string;
}

/** A status of the API on its own, without what surrounds it. */
export function plain(status: string, t: Texts): Said {
  switch (status) {
    case 'RUNNING':
    case 'REDIRECT':
      return { tone: 'going', word: t.status.running };
    case 'SUCCEEDED':
      return { tone: 'well', word: t.status.succeeded };
    case 'TERMINAL':
      return { tone: 'bad', word: t.status.failed };
    case 'FAILED_CONTINUE':
      return { tone: 'despite', word: t.status.failedContinued };
    case 'CANCELED':
      return { tone: 'stopped', word: t.status.cancelled };
    case 'STOPPED':
      return { tone: 'stopped', word: t.status.stopped };
    case 'SKIPPED':
      return { tone: 'notrun', word: t.status.skipped };
    case 'NOT_STARTED':
      return { tone: 'notrun', word: t.status.notStarted };
    case 'PAUSED':
    case 'SUSPENDED':
      return { tone: 'waiting', word: t.status.paused };
    case 'BUFFERED':
      return { tone: 'waiting', word: t.status.waiting };
    default:
      return { tone: 'starting', word: t.status.unknown };
  }
}

/** A stage in its run: what it waits for is part of its state. */
export function ofStage(run: Execution, stage: Stage, t: Texts): Said {
  if (isOpenJudgment(stage)) return { tone: 'judgment', word: t.status.judgment };
  if (stage.status === 'CANCELED' && run.canceledBy !== undefined) return { tone: 'stopped', word: t.status.cancelledBy(run.canceledBy) };
  if (stage.status === 'RUNNING' && (stage.type === 'wait' || waitingOf(run, stage) !== undefined)) return { tone: 'waiting', word: t.status.waiting };
  return plain(stage.status, t);
}

/** A run: it needs judgment when one of its stages does. */
export function ofRun(run: Execution, t: Texts): Said {
  if (run.status === 'RUNNING' && openJudgments(run).length > 0) return { tone: 'judgment', word: t.status.judgment };
  if (run.status === 'CANCELED' && run.canceledBy !== undefined) return { tone: 'stopped', word: t.status.cancelledBy(run.canceledBy) };
  if (run.status === 'NOT_STARTED' && run.waiting !== undefined) return { tone: 'waiting', word: t.status.waiting };
  return plain(run.status, t);
}

/** An instance by the word of its health. */
export function ofInstance(instance: Instance, t: Texts): Said {
  switch (instance.state) {
    case 'Up':
    case 'Succeeded':
      return { tone: 'well', word: t.status.up };
    case 'Down':
    case 'Failed':
      return { tone: 'bad', word: t.status.down };
    case 'Starting':
      return { tone: 'starting', word: t.status.starting };
    case 'Draining':
    case 'OutOfService':
      return { tone: 'notrun', word: t.status.outOfService };
    default:
      return { tone: 'starting', word: t.status.unknown };
  }
}

/** A server group by its switch and its instances. */
export function ofGroup(group: ServerGroup, t: Texts): Said {
  const all = group.instances.length;
  const up = upCount(group.instances);
  if (group.disabled) return { tone: 'notrun', word: t.status.disabled };
  if (all === 0) return { tone: 'notrun', word: t.clusters.upOf(0, 0) };
  if (up === all) return { tone: 'well', word: t.status.healthy };
  const down = group.instances.filter((instance) => instance.state === 'Down' || instance.state === 'Failed').length;
  if (down > 0) return { tone: 'bad', word: down === all ? t.status.down : t.status.someDown(down) };
  return { tone: 'starting', word: up === 0 ? t.status.starting : t.status.someStarting(all - up) };
}
