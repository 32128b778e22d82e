// An entry of the server's list of what happened, in words. Pure.

import type { Entry, Kind, Saved } from '../../api/activity';
import type { Execution } from '../../api/execution';
import type { Told } from '../../api/notifications';
import type { Operation } from '../../api/operations';
import { happenedWord } from '../../parts/notifications';
import { startedBy } from '../../parts/started';
import { ofRun, type Said } from '../../parts/status';
import { wordOf } from '../../parts/word';
import type { Texts } from '../../texts/en';

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
  said: Said;
  /** Where it is seen whole. */
  to: { screen: 'run' | 'task' | 'pipeline' | 'config'; application: string; id: string } | { screen: 'repositories' | 'projects' };
}

/** The application of jobs that belong to none, as those that make projects. */
const NOBODYS = 'spinnaker';

type Part = Pick<Happening, 'key' | 'what' | 'detail' | 'object' | 'said' | 'to'>;

function ofExecution(run: Execution, kind: 'run' | 'task', t: Texts): Part {
  return {
    key: run.id,
    what: run.name,
    detail: kind === 'run' ? startedBy(run.trigger, undefined, t) : '',
    object: run.application === NOBODYS ? t.rail.projects : run.application,
    said: ofRun(run, t),
    to: { screen: kind, application: run.application, id: run.id },
  };
}

function ofOperation(one: Operation, t: Texts): Part {
  const said: Said = one.undoneBy === undefined ? { tone: 'well', word: t.activity.done } : { tone: 'notrun', word: t.operations.undone };
  const counts = (plus: number, minus: number) => [plus > 0 ? ` +${plus}` : '', minus > 0 ? ` −${minus}` : ''].join('');
  return {
    key: `${one.root} ${one.id}`,
    what: one.changes.map((change) => `${t.operations.change(change.what, t.operations.kinds[change.kind])} ${change.name}${counts(change.addedCount, change.removedCount)}`).join('; '),
    detail: one.command,
    object: [...new Set(one.changes.map((change) => change.name))].join(', '),
    said,
    to: { screen: 'repositories' },
  };
}

function ofSave(one: Saved, t: Texts): Part {
  const words = one.deleted ? t.activity.deleted : t.activity.saved;
  const to: Happening['to'] =
    one.thing === 'project'
      ? { screen: 'projects' }
      : one.thing === 'pipeline' && !one.deleted
        ? { screen: 'pipeline', application: one.application, id: one.name }
        : { screen: 'config', application: one.application, id: '' };
  return {
    key: `${one.thing} ${one.id} ${one.revision}`,
    what: words(wordOf(t.activity.things, one.thing) ?? one.thing, one.name),
    detail: '',
    object: one.thing === 'project' ? t.rail.projects : one.application,
    said: { tone: 'well', word: t.activity.done },
    to,
  };
}

/** Of whom an execution was to tell, and could not. */
function ofNotification(told: Told, run: Execution, t: Texts): Part {
  const what = happenedWord(told.event, told.stage === undefined ? run.name : t.notify.aStage(run.name), t);
  return {
    key: told.id,
    what: t.activity.untold(told.address, told.kind, what),
    detail: told.error ?? '',
    object: run.application,
    said: { tone: 'bad', word: t.notify.told.failed },
    to: { screen: 'run', application: run.application, id: run.id },
  };
}

/** Nothing for an entry that says nothing. */
export function happening(entry: Entry, t: Texts): Happening | undefined {
  const { at, kind, who, execution, notification } = entry;
  const part =
    execution !== undefined
      ? notification !== undefined
        ? ofNotification(notification, execution, t)
        : ofExecution(execution, kind === 'run' ? 'run' : 'task', t)
      : entry.operation !== undefined
        ? ofOperation(entry.operation, t)
        : entry.saved !== undefined
          ? ofSave(entry.saved, t)
          : undefined;
  return part === undefined ? undefined : { ...part, key: `${kind} ${part.key}`, at, kind, who: who === '' ? 'anonymous' : who };
}
