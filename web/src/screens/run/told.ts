// What became of what a run told somebody. Pure.

import type { Execution } from '../../api/execution';
import type { Told } from '../../api/notifications';
import { happenedWord } from '../../parts/notifications';
import type { Said } from '../../parts/status';
import type { Texts } from '../../texts/en';

/** What was told: of the run, or of a stage by its name. */
export function whatOf(told: Told, run: Execution, t: Texts): string {
  const stage = told.stage === undefined ? t.notify.theRun : (run.stages.find((one) => one.id === told.stage)?.name ?? t.notify.aStage(run.name));
  return happenedWord(told.event, stage, t);
}

/** Whether somebody knows: a notification with a next try is not given up, one without an error has not failed yet. */
export function stateOf({ due, error }: Told, t: Texts): Said {
  if (due === undefined) return error === undefined ? { tone: 'well', word: t.notify.told.told } : { tone: 'bad', word: t.notify.told.failed };
  return error === undefined ? { tone: 'going', word: t.notify.told.going } : { tone: 'waiting', word: t.notify.told.waiting };
}
