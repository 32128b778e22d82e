// Notifications: the fields of their kinds, what they can tell of, and their messages. Pure.

import { map, text, texts, type JsonMap } from '../api/read';
import type { Texts } from '../texts/en';
import { wordOf } from './word';

/** The kinds that Spinnaker's documents name: also those that the server does not send can be kept. */
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

/** Kept with an application, a pipeline or a stage. */
export type Level = 'application' | 'pipeline' | 'stage';

/** A new one tells of what one mostly wants to know: that it failed, or that somebody is waited for. */
export function newNotification(type: string, level: Level, stageType?: string): JsonMap {
  const when = level !== 'stage' ? 'pipeline.failed' : stageType === 'manualJudgment' ? 'manualJudgment' : 'stage.failed';
  return { type, address: '', level, when: [when] };
}

/** A field of one line. */
export interface LineField {
  key: string;
  title: string;
  help: string;
}

/** The fields of a kind; the address is the first. */
export function linesOf(type: string, t: Texts): LineField[] {
  const f = t.notify.fields;
  const address = { key: 'address', title: f.address, help: wordOf(f.addresses, type) ?? f.anyAddress };
  if (type !== 'email') return [address];
  return [address, { key: 'cc', title: f.cc, help: f.ccHelp }, { key: 'customSubject', title: f.subject, help: f.subjectHelp }, { key: 'customBody', title: f.body, help: f.bodyHelp }];
}

/** What a kind lacks so that the server could send it: its operator's configuration, or that the server knows it at all. */
export function lackOf(kind: string, sent: string[]): 'configuration' | 'unknown' | undefined {
  if (sent.includes(kind)) return undefined;
  return kind === 'email' || kind === 'slack' ? 'configuration' : 'unknown';
}

/** The kinds to choose from: those that the server sends, then all others. */
export function offeredKinds(sent: string[]): { sent: string[]; others: string[] } {
  return { sent, others: KINDS.filter((kind) => !sent.includes(kind)) };
}

/** Where it goes. Some documents have several addresses in a list. */
export function addressOf(notification: JsonMap): string {
  return Array.isArray(notification.address) ? texts(notification.address).join(', ') : text(notification.address);
}

/** Why no trial of it can be sent. */
export function trialBar(notification: JsonMap, sent: string[] | undefined, viewer: boolean): 'kind' | 'viewer' | 'address' | 'expression' | undefined {
  if (sent === undefined || lackOf(text(notification.type), sent) !== undefined) return 'kind';
  if (viewer) return 'viewer';
  const address = addressOf(notification);
  if (address.trim() === '') return 'address';
  return [address, text(notification.cc)].some((one) => one.includes('${')) ? 'expression' : undefined;
}

/** A kind and, where it is known, what it does. */
export function kindWord(kind: string, t: Texts): string {
  const word = wordOf(t.notify.kinds, kind);
  return word === undefined ? kind : `${kind}: ${word}`;
}

export function eventWord(event: string, t: Texts): string {
  return wordOf(t.notify.events, event) ?? event;
}

/** What an event says happened to what has this name: a run, or a stage. */
export function happenedWord(event: string, name: string, t: Texts): string {
  return wordOf(t.notify.happened, event)?.(name) ?? `${name}: ${event}`;
}

/** What the form and the parts around it show; anything else is JSON. */
export function knownOf(type: string, t: Texts): Set<string> {
  return new Set(['type', 'level', 'when', 'message', ...linesOf(type, t).map((one) => one.key)]);
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
