// A run on a time axis: for each stage and task when it worked and when it waited. Pure; drawn in timeline-view.tsx.

import { innerStages, isOver, topStages, type Execution, type Stage, type Task } from '../../api/execution';
import { SECOND, type Span } from '../../parts/axis';

export interface Piece extends Span {
  waits: boolean;
}

export interface Row {
  key: string;
  stage: Stage;
  /** A row of a task; without it the row is the stage's. */
  task: Task | undefined;
  /** 0 for a stage of the pipeline, more for what is inside. */
  depth: number;
  pieces: Piece[];
}

/** Tasks and stages that let time pass, or watch somebody else work. */
const WAITING_STAGES = new Set(['wait', 'waitUntil', 'manualJudgment', 'dependsOnExecution']);

export function waits(stage: Stage, task: Task): boolean {
  return WAITING_STAGES.has(stage.type) || /^wait/i.test(task.name) || /window/i.test(task.name) || (task.waiting !== undefined && !isOver(task.status));
}

/** Spans that overlap or touch become one. */
export function united(spans: Span[]): Span[] {
  const sorted = spans.filter((span) => span.to > span.from).sort((a, b) => a.from - b.from);
  const found: Span[] = [];
  for (const span of sorted) {
    const last = found[found.length - 1];
    if (last !== undefined && span.from <= last.to) last.to = Math.max(last.to, span.to);
    else found.push({ ...span });
  }
  return found;
}

/** What is left of spans when others are cut out. */
export function without(spans: Span[], others: Span[]): Span[] {
  let rest = united(spans);
  for (const other of others) {
    rest = rest.flatMap((span) => {
      if (other.to <= span.from || other.from >= span.to) return [span];
      return [
        { from: span.from, to: other.from },
        { from: other.to, to: span.to },
      ].filter((part) => part.to > part.from);
    });
  }
  return rest;
}

/** A span as pieces: waiting where it is said to wait, working for the rest. */
function piecesOf(whole: Span, waiting: Span[]): Piece[] {
  const clipped = united(waiting.map((span) => ({ from: Math.max(span.from, whole.from), to: Math.min(span.to, whole.to) })));
  return [...without([whole], clipped).map((span) => ({ ...span, waits: false })), ...clipped.map((span) => ({ ...span, waits: true }))].sort((a, b) => a.from - b.from);
}

function lasted(thing: { startTime: number | undefined; endTime: number | undefined }, now: number): Span | undefined {
  return thing.startTime === undefined ? undefined : { from: thing.startTime, to: Math.max(thing.startTime, thing.endTime ?? now) };
}

/** The time in which a run was held. */
export function heldIn(run: Execution, now: number): Span[] {
  return run.paused === undefined ? [] : [{ from: run.paused.at, to: run.paused.until ?? run.endTime ?? now }];
}

export function rowsOf(run: Execution, now: number): Row[] {
  const held = heldIn(run, now);
  const ordered = topStages(run)
    .map((stage, at) => ({ stage, at }))
    .sort((a, b) => (a.stage.startTime ?? Number.POSITIVE_INFINITY) - (b.stage.startTime ?? Number.POSITIVE_INFINITY) || a.at - b.at || 0);
  return ordered.flatMap(({ stage }) => [stage, ...innerStages(run, stage).sort(byStart)].flatMap((one) => rowsOfStage(run, one, held, now)));
}

function byStart(a: Stage, b: Stage): number {
  const [left, right] = [a.startTime ?? Number.MAX_SAFE_INTEGER, b.startTime ?? Number.MAX_SAFE_INTEGER];
  return left - right || a.refId.length - b.refId.length;
}

function rowsOfStage(run: Execution, stage: Stage, held: Span[], now: number): Row[] {
  const depth = depthOf(run, stage);
  const inside = [stage, ...innerStages(run, stage)].flatMap((owner) => owner.tasks.map((task) => ({ owner, task })));
  const spans = (wanted: boolean) => inside.flatMap(({ owner, task }) => (waits(owner, task) === wanted ? (lasted(task, now) ?? []) : []));
  const whole = lasted(stage, now);
  // Where anything inside works, the stage works.
  const waiting = without([...spans(true), ...held], without(spans(false), held));
  const own: Row = { key: stage.id, stage, task: undefined, depth, pieces: whole === undefined ? [] : piecesOf(whole, waiting) };
  // One task that is all there is to a stage says nothing more.
  if (stage.tasks.length <= 1) return [own];
  const tasks = stage.tasks.map((task): Row => {
    const span = lasted(task, now);
    return { key: `${stage.id} ${task.id}`, stage, task, depth: depth + 1, pieces: span === undefined ? [] : piecesOf(span, waits(stage, task) ? [span] : held) };
  });
  return [own, ...tasks];
}

function depthOf(run: Execution, stage: Stage): number {
  let depth = 0;
  for (let at: Stage | undefined = stage; at?.parentStageId !== undefined && depth < 8; depth++) {
    const parent: string = at.parentStageId;
    at = run.stages.find((one) => one.id === parent);
  }
  return depth;
}

/** The whole time axis of a run: a little longer than the run, so that its end is seen. */
export function axisOf(run: Execution, now: number): Span {
  const from = run.startTime ?? run.buildTime ?? now;
  const ends = run.stages.map((stage) => stage.endTime ?? (stage.startTime === undefined ? from : now));
  const to = run.endTime ?? ends.reduce((a, b) => Math.max(a, b), from);
  return { from, to: Math.max(to, from + SECOND) };
}

/** How long it worked and waited in all, in milliseconds. */
export function sums(pieces: Piece[]): { works: number; waits: number } {
  const of = (wanted: boolean) => pieces.reduce((sum, piece) => (piece.waits === wanted ? sum + piece.to - piece.from : sum), 0);
  return { works: of(false), waits: of(true) };
}
