// What happened, as one list out of what the server keeps in several: runs, tasks, operations on repositories, saves. Pure.

import type { Execution } from '../../api/execution';
import { isOver } from '../../api/execution';
import type { Operation } from '../../api/operations';
import { startedBy } from '../../parts/started';
import { ofRun, type Said } from '../../parts/status';
import type { Texts } from '../../texts/en';

export const KINDS = ['run', 'task', 'repository', 'save'] as const;
export type Kind = (typeof KINDS)[number];
export const RESULTS = ['well', 'failed', 'cancelled', 'running'] as const;
export type Result = (typeof RESULTS)[number];

export interface Happening {
  key: string;
  at: number;
  who: string;
  kind: Kind;
  /** What was done. */
  what: string;
  detail: string;
  /** On what: an application, repositories. */
  object: string;
  result: Result;
  said: Said;
  /** Where it is seen whole. */
  to: { screen: 'run' | 'task' | 'pipeline' | 'config'; application: string; id: string } | { screen: 'repositories' };
}

export interface Saved {
  application: string;
  /** The pipeline's name; nothing for the application itself. */
  pipeline: string;
  at: number | undefined;
  who: string;
}

/** The application of jobs that belong to none, as those that make projects. */
export const NOBODYS = 'spinnaker';

/** Nobody in particular is written in several ways. */
function person(who: string | undefined): string {
  return who === undefined || who === '[anonymous]' ? 'anonymous' : who;
}

function resultOf(status: string): Result {
  if (!isOver(status)) return 'running';
  if (status === 'TERMINAL' || status === 'FAILED_CONTINUE' || status === 'STOPPED') return 'failed';
  return status === 'CANCELED' ? 'cancelled' : 'well';
}

function ofRunOf(run: Execution, kind: 'run' | 'task', t: Texts): Happening {
  return {
    key: `${kind} ${run.id}`,
    at: run.buildTime ?? run.startTime ?? 0,
    who: person(run.user),
    kind,
    what: run.name,
    detail: kind === 'run' ? startedBy(run.trigger, undefined, t) : '',
    object: run.application === NOBODYS ? t.rail.projects : run.application,
    result: resultOf(run.status),
    said: ofRun(run, t),
    to: { screen: kind, application: run.application, id: run.id },
  };
}

function ofOperation(one: Operation, t: Texts): Happening {
  const said: Said = one.undoneBy === undefined ? { tone: 'well', word: t.activity.done } : { tone: 'notrun', word: t.operations.undone };
  const counts = (plus: number, minus: number) => [plus > 0 ? ` +${plus}` : '', minus > 0 ? ` −${minus}` : ''].join('');
  return {
    key: `operation ${one.root} ${one.id}`,
    at: one.at,
    who: person(one.who === '' ? undefined : one.who),
    kind: 'repository',
    what: one.changes.map((change) => `${t.operations.change(change.what, t.operations.kinds[change.kind])} ${change.name}${counts(change.addedCount, change.removedCount)}`).join('; '),
    detail: one.command,
    object: [...new Set(one.changes.map((change) => change.name))].join(', '),
    result: 'well',
    said,
    to: { screen: 'repositories' },
  };
}

/** How far a save and the task that made it may be apart. */
const NEAR = 2000;

function ofSave(one: Saved, tasks: Execution[], t: Texts): Happening[] {
  const at = one.at;
  if (at === undefined) return [];
  // A save by a task is the task.
  const made = tasks.some((task) => task.application === one.application && at >= (task.startTime ?? task.buildTime ?? 0) - NEAR && at <= (task.endTime ?? task.startTime ?? 0) + NEAR);
  if (made) return [];
  const what = one.pipeline === '' ? t.activity.savedApplication : t.activity.savedPipeline(one.pipeline);
  const to = one.pipeline === '' ? ({ screen: 'config', application: one.application, id: '' } as const) : ({ screen: 'pipeline', application: one.application, id: one.pipeline } as const);
  return [{ key: `save ${one.application} ${one.pipeline}`, at, who: person(one.who || undefined), kind: 'save', what, detail: '', object: one.application, result: 'well', said: { tone: 'well', word: t.activity.done }, to }];
}

/** All of it, the newest first. */
export function happenings(all: { runs: Execution[]; tasks: Execution[]; operations: Operation[]; saved: Saved[] }, t: Texts): Happening[] {
  return [
    ...all.runs.map((run) => ofRunOf(run, 'run', t)),
    ...all.tasks.map((task) => ofRunOf(task, 'task', t)),
    ...all.operations.map((one) => ofOperation(one, t)),
    ...all.saved.flatMap((one) => ofSave(one, all.tasks, t)),
  ].sort((a, b) => b.at - a.at || b.key.localeCompare(a.key));
}
