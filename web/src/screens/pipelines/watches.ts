// What starts a pipeline by itself, in a few words: pure.

import { text, type JsonMap } from '../../api/read';
import type { Texts } from '../../texts/en';

export function watches(triggers: JsonMap[], t: Texts): string {
  if (triggers.length === 0) return t.pipelines.watchesNothing;
  return triggers.map((trigger) => one(trigger, t)).join('; ');
}

function one(trigger: JsonMap, t: Texts): string {
  const kind = text(trigger.type);
  if (kind !== 'apt') return t.pipelines.triggerOf(kind);
  const version = text(trigger.version);
  const where = [text(trigger.repository), text(trigger.prefix), text(trigger.distribution)].filter((part) => part !== '' && part !== '.').join('/');
  return t.pipelines.watchesApt([text(trigger.package), version].filter((part) => part !== '').join(' '), where);
}
