// What started a run, in a few words. Pure.

import { map, text, type JsonMap } from '../api/read';
import type { Texts } from '../texts/en';
import { wordOf } from './word';

const ANONYMOUS = '[anonymous]';

/** What a trigger of a type is called. */
export function triggerName(type: string, t: Texts): string {
  return wordOf(t.editor.triggerNames, type) ?? type;
}

export function startedBy(trigger: JsonMap, user: string | undefined, t: Texts): string {
  const kind = text(trigger.type);
  switch (kind) {
    case 'manual':
      return user === undefined || user === ANONYMOUS || user === 'anonymous' ? t.pipelines.manual : `${t.pipelines.manual} ${t.pipelines.by(user)}`;
    case 'apt':
      return t.pipelines.apt(text(trigger.package), text(trigger.version));
    case 'pipeline':
      return t.pipelines.fromPipeline(text(map(trigger.parentExecution).name) || text(trigger.parentPipelineName));
    case '':
      return t.pipelines.manual;
    default:
      return t.pipelines.triggerOf(triggerName(kind, t));
  }
}
