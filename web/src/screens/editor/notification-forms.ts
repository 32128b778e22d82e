// Notifications: the forms of their kinds, what they can tell of, and their messages. Pure.

import { map, text, texts, type JsonMap } from '../../api/read';
import type { Texts } from '../../texts/en';
import type { Schema } from './schema';

/** The kinds that Spinnaker's documents name: offered where the server does not say which it sends. */
export const KINDS = ['email', 'webhook', 'slack', 'googlechat', 'microsoftteams', 'sms', 'pubsub', 'githubStatus', 'cdevents', 'bearychat'];

const PIPELINE = ['pipeline.starting', 'pipeline.complete', 'pipeline.failed'] as const;
const STAGE = ['stage.starting', 'stage.complete', 'stage.failed'] as const;
const JUDGMENT = ['manualJudgment', 'manualJudgmentContinue', 'manualJudgmentStop'] as const;

export type Event = (typeof PIPELINE | typeof STAGE | typeof JUDGMENT)[number];

/** What a stage of this type can tell of; without a type what a pipeline can. */
export function eventsOf(stageType: string | undefined): readonly Event[] {
  if (stageType === undefined) return PIPELINE;
  return stageType === 'manualJudgment' ? [...JUDGMENT, ...STAGE] : STAGE;
}

/** A new one tells of what one mostly wants to know: that it failed, or that somebody is waited for. */
export function newNotification(type: string, stageType: string | undefined): JsonMap {
  const when = stageType === undefined ? 'pipeline.failed' : stageType === 'manualJudgment' ? 'manualJudgment' : 'stage.failed';
  return { type, address: '', level: stageType === undefined ? 'pipeline' : 'stage', when: [when] };
}

export function notificationSchema(type: string, t: Texts): Schema {
  const f = t.notify.fields;
  const addresses: Record<string, string> = f.addresses;
  const line = (title: string, description?: string): Schema => ({ type: 'string', title, ...(description === undefined ? {} : { description }) });
  const mail = type === 'email' ? { cc: line(f.cc, f.ccHelp), customSubject: line(f.subject, f.subjectHelp), customBody: line(f.body, f.bodyHelp) } : {};
  return { type: 'object', required: ['address'], properties: { address: line(f.address, addresses[type] ?? f.anyAddress), ...mail } };
}

/** What the form and the parts around it show; anything else is JSON. */
export function knownOf(type: string, t: Texts): Set<string> {
  return new Set(['type', 'level', 'when', 'message', ...Object.keys(map(notificationSchema(type, t).properties))]);
}

export function messageOf(notification: JsonMap, when: string): string {
  return text(map(map(notification.message)[when]).text);
}

/** With another message for one event, an empty one taken away; what else a message has stays. */
export function withMessage(notification: JsonMap, when: string, typed: string): JsonMap {
  const { [when]: before, ...others } = map(notification.message);
  const { text: _, ...rest } = map(before);
  const one = typed === '' ? rest : { ...rest, text: typed };
  const message = Object.keys(one).length === 0 ? others : { ...map(notification.message), [when]: one };
  if (Object.keys(message).length > 0) return { ...notification, message };
  const { message: __, ...without } = notification;
  return without;
}

/** The events that it tells of, with one more or one less, in the order in which they happen. */
export function withWhen(notification: JsonMap, when: string, on: boolean, events: readonly string[]): string[] {
  const kept = texts(notification.when).filter((one) => one !== when);
  const all = on ? [...kept, when] : kept;
  return [...events.filter((one) => all.includes(one)), ...all.filter((one) => !events.includes(one))];
}
