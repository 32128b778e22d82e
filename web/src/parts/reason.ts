// Why a stage or a run is in its state: one sentence. Pure.

import { errorsOf, innerStages, isOpenJudgment, isOver, waitSeconds, waitingOf, type Execution, type Stage } from '../api/execution';
import { map, text } from '../api/read';
import type { Texts } from '../texts/en';
import { clock } from './time';

/** The sentence for a stage. */
export function whyOf(run: Execution, stage: Stage, t: Texts): string {
  if (isOpenJudgment(stage)) return text(stage.context.instructions) || t.run.whyJudgment;
  const waiting = waitingOf(run, stage);
  if (waiting !== undefined) return waiting.reason;
  switch (stage.status) {
    case 'TERMINAL':
    case 'FAILED_CONTINUE':
    case 'STOPPED':
      return failure(run, stage) ?? t.run.whyFailed;
    case 'CANCELED':
      return run.cancellationReason ?? t.run.whyCanceled;
    case 'SKIPPED':
      return condition(stage, t);
    case 'NOT_STARTED':
      return isOver(run.status) ? t.run.whyNotReached : t.run.whyNotStarted;
    case 'RUNNING':
      return running(run, stage, t);
    case 'PAUSED':
      return run.paused?.by === undefined ? t.runMore.held : t.runMore.heldBy(run.paused.by);
    default:
      return stage.type === 'manualJudgment' ? judged(stage, t) : t.run.whySucceeded;
  }
}

/** The first error found in the stage or in the stages inside it. */
export function failure(run: Execution, stage: Stage): string | undefined {
  for (const one of [stage, ...innerStages(run, stage)]) {
    const found = errorsOf(one);
    if (found.length > 0) return found.join(' ');
  }
  return undefined;
}

/** Why a run ended badly: the sentence of its first failed stage, with the stage's name. */
export function whyRun(run: Execution): string | undefined {
  if (run.cancellationReason !== undefined) return run.cancellationReason;
  for (const stage of run.stages) {
    if (stage.status !== 'TERMINAL' && stage.status !== 'STOPPED') continue;
    const why = errorsOf(stage)[0];
    if (why !== undefined) return `${stage.name}: ${why}`;
  }
  return undefined;
}

function running(run: Execution, stage: Stage, t: Texts): string {
  if (stage.type === 'wait' && stage.startTime !== undefined) {
    return t.run.whyWaitUntil(clock(stage.startTime + waitSeconds(stage.context) * 1000));
  }
  for (const one of [...innerStages(run, stage), stage]) {
    const task = one.tasks.find((task) => task.status === 'RUNNING');
    if (task !== undefined) return t.run.whyRunning(one === stage ? task.name : `${one.name}, ${task.name}`);
  }
  return t.run.whyRunning(stage.name);
}

function condition(stage: Stage, t: Texts): string {
  const expression = text(map(stage.context.stageEnabled).expression);
  return expression === '' ? t.run.whySkipped : `${t.run.whySkipped} (${expression})`;
}

function judged(stage: Stage, t: Texts): string {
  const answer = text(stage.context.judgmentInput) || text(stage.context.judgmentStatus);
  const who = text(stage.context.lastModifiedBy) || text(map(stage.context.lastModified).user);
  return who === '' ? answer : t.run.answered(answer, who);
}
