// An execution (a run of a pipeline, or a task) as the page uses it, read from the JSON of the API.

import { flag, list, map, number, optNumber, optText, text, texts, type JsonMap } from './read';

/** Why something waits: one sentence, since when and until when. */
export interface Waiting {
  reason: string;
  since: number | undefined;
  until: number | undefined;
}

export interface Task {
  id: string;
  name: string;
  status: string;
  startTime: number | undefined;
  endTime: number | undefined;
  waiting: Waiting | undefined;
}

export interface Stage {
  id: string;
  refId: string;
  type: string;
  name: string;
  status: string;
  startTime: number | undefined;
  endTime: number | undefined;
  context: JsonMap;
  outputs: JsonMap;
  tasks: Task[];
  owner: 'before' | 'after' | undefined;
  parentStageId: string | undefined;
  requisites: string[];
  waiting: Waiting | undefined;
}

export interface Execution {
  id: string;
  application: string;
  /** The pipeline's name; of a task, its description. */
  name: string;
  pipelineConfigId: string | undefined;
  status: string;
  buildTime: number | undefined;
  startTime: number | undefined;
  endTime: number | undefined;
  canceled: boolean;
  canceledBy: string | undefined;
  cancellationReason: string | undefined;
  trigger: JsonMap;
  user: string | undefined;
  stages: Stage[];
  waiting: Waiting | undefined;
  /** When it was last held, by whom, and when it was let go on. */
  paused: Paused | undefined;
}

export interface Paused {
  by: string | undefined;
  at: number;
  until: number | undefined;
}

function readPaused(value: unknown): Paused | undefined {
  const paused = map(value);
  const at = optNumber(paused.pauseTime);
  return at === undefined ? undefined : { by: optText(paused.pausedBy), at, until: optNumber(paused.resumeTime) };
}

function readWaiting(value: unknown): Waiting | undefined {
  const waiting = map(value);
  const reason = text(waiting.reason);
  return reason === '' ? undefined : { reason, since: optNumber(waiting.since), until: optNumber(waiting.until) };
}

export function readTask(value: unknown): Task {
  const task = map(value);
  return {
    id: text(task.id),
    name: text(task.name, text(task.implementingClass)),
    status: text(task.status, 'NOT_STARTED'),
    startTime: optNumber(task.startTime),
    endTime: optNumber(task.endTime),
    waiting: readWaiting(task.waiting),
  };
}

export function readStage(value: unknown): Stage {
  const stage = map(value);
  const owner = text(stage.syntheticStageOwner);
  const type = text(stage.type);
  const refId = text(stage.refId);
  return {
    id: text(stage.id, refId),
    refId,
    type,
    name: text(stage.name) || type,
    status: text(stage.status, 'NOT_STARTED'),
    startTime: optNumber(stage.startTime),
    endTime: optNumber(stage.endTime),
    context: map(stage.context),
    outputs: map(stage.outputs),
    tasks: list(stage.tasks).map(readTask),
    owner: owner === 'STAGE_BEFORE' ? 'before' : owner === 'STAGE_AFTER' ? 'after' : undefined,
    parentStageId: optText(stage.parentStageId),
    requisites: texts(stage.requisiteStageRefIds),
    waiting: readWaiting(stage.waiting),
  };
}

export function readExecution(value: unknown): Execution {
  const run = map(value);
  const trigger = map(run.trigger);
  return {
    id: text(run.id),
    application: text(run.application),
    name: text(run.name) || text(run.description),
    pipelineConfigId: optText(run.pipelineConfigId),
    status: text(run.status, 'NOT_STARTED'),
    buildTime: optNumber(run.buildTime),
    startTime: optNumber(run.startTime),
    endTime: optNumber(run.endTime),
    canceled: flag(run.canceled),
    canceledBy: optText(run.canceledBy),
    cancellationReason: optText(run.cancellationReason),
    trigger,
    user: optText(trigger.user) ?? optText(map(run.authentication).user),
    stages: list(run.stages).map(readStage),
    waiting: readWaiting(run.waiting),
    paused: readPaused(run.paused),
  };
}

/** The view of a task (`GET /tasks/{id}`): the whole execution, whose stages are its jobs. */
export function readTaskView(value: unknown): Execution {
  const view = map(value);
  const inner = readExecution({ ...map(view.execution), id: view.id, status: view.status });
  return {
    ...inner,
    name: text(view.name) || inner.name,
    application: text(view.application) || inner.application,
    buildTime: optNumber(view.buildTime) ?? inner.buildTime,
    startTime: optNumber(view.startTime) ?? inner.startTime,
    endTime: optNumber(view.endTime) ?? inner.endTime,
  };
}

const OVER = new Set(['SUCCEEDED', 'FAILED_CONTINUE', 'TERMINAL', 'CANCELED', 'STOPPED', 'SKIPPED']);

/** Whether a status is an end. */
export function isOver(status: string): boolean {
  return OVER.has(status);
}

/** The stages of the pipeline as its author wrote them: without the synthetic ones. */
export function topStages(run: Execution): Stage[] {
  return run.stages.filter((stage) => stage.parentStageId === undefined);
}

/** All synthetic stages below a stage, in the order of the execution. */
export function innerStages(run: Execution, stage: Stage): Stage[] {
  const inside = new Set([stage.id]);
  const found: Stage[] = [];
  // A parent may stand behind its before-stages in the list, so walk until nothing new is found.
  for (let grew = true; grew; ) {
    grew = false;
    for (const one of run.stages) {
      if (one.parentStageId !== undefined && inside.has(one.parentStageId) && !inside.has(one.id)) {
        inside.add(one.id);
        grew = true;
      }
    }
  }
  for (const one of run.stages) if (one.id !== stage.id && inside.has(one.id)) found.push(one);
  return found;
}

/** The stages of the pipeline that can only run after this one, in the order of the pipeline. */
export function behind(run: Execution, stage: Stage): Stage[] {
  const top = topStages(run);
  const refs = new Set([stage.refId]);
  for (let grew = true; grew; ) {
    grew = false;
    for (const one of top) {
      if (!refs.has(one.refId) && one.requisites.some((ref) => refs.has(ref))) {
        refs.add(one.refId);
        grew = true;
      }
    }
  }
  return top.filter((one) => one.id !== stage.id && refs.has(one.refId));
}

/** The stage of the pipeline that a stage is a part of: itself, when it is no synthetic one. */
export function topOf(run: Execution, stage: Stage): Stage {
  const byId = new Map(run.stages.map((one) => [one.id, one]));
  let found = stage;
  for (let depth = 0; found.parentStageId !== undefined && depth < 100; depth++) {
    const parent = byId.get(found.parentStageId);
    if (parent === undefined) break;
    found = parent;
  }
  return found;
}

/** A running manual judgment without an answer, in this run. */
export function openJudgments(run: Execution): Stage[] {
  return run.stages.filter(isOpenJudgment);
}

export function isOpenJudgment(stage: Stage): boolean {
  return stage.type === 'manualJudgment' && stage.status === 'RUNNING' && text(stage.context.judgmentStatus) === '';
}

/** What a running stage waits for: its own word, or that of its first task or inner stage that waits. */
export function waitingOf(run: Execution, stage: Stage): Waiting | undefined {
  if (stage.status !== 'RUNNING' && stage.status !== 'NOT_STARTED') return undefined;
  for (const one of [stage, ...innerStages(run, stage)]) {
    const found = one.waiting ?? one.tasks.find((task) => task.waiting !== undefined && !isOver(task.status))?.waiting;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** How far a stage is, 0 to 1: tasks done, those of its synthetic stages included. */
export function progress(run: Execution, stage: Stage): number {
  if (isOver(stage.status)) return 1;
  const tasks = [stage, ...innerStages(run, stage)].flatMap((one) => one.tasks);
  if (tasks.length === 0) return 0;
  return tasks.filter((task) => isOver(task.status)).length / tasks.length;
}

/** The sentences of what went wrong in a stage, from the convention all stages keep (`context.exception.details`). */
export function errorsOf(stage: Stage): string[] {
  const exception = map(stage.context.exception);
  const details = map(exception.details);
  const errors = texts(details.errors);
  if (errors.length > 0) return errors;
  const single = text(details.error) || text(stage.context.failureMessage) || text(exception.message);
  if (single !== '') return [single];
  return isOver(stage.status) && stage.status !== 'SUCCEEDED' ? unmet(map(stage.context.context)) : [];
}

/** A precondition that did not hold leaves no error, only what its expression gave. */
function unmet(precondition: JsonMap): string[] {
  if (!('expressionResult' in precondition)) return [];
  return [text(precondition.failureMessage) || `${text(precondition.expression)} → ${JSON.stringify(precondition.expressionResult)}`];
}

/** Seconds that a wait stage waits. */
export function waitSeconds(context: JsonMap): number {
  return number(context.waitTime);
}
