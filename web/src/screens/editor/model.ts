// What can be done to a pipeline document: pure. Each operation gives a new document and keeps unknown fields and the order of keys.

import { list, map, text, texts, type JsonMap } from '../../api/read';
import { withValue } from './paths';

export type Doc = JsonMap;

/** A stage as the canvas shows it. */
export interface StageOf {
  index: number;
  refId: string;
  type: string;
  name: string;
  after: string[];
  config: JsonMap;
}

/** The fields that the server writes itself. */
export const KEPT_BY_SERVER = ['id', 'createTs', 'updateTs', 'lastModifiedBy', 'lastModified', 'revision'];

export function emptyPipeline(application: string): Doc {
  return { application, name: '', limitConcurrent: true, keepWaitingPipelines: false, parameterConfig: [], triggers: [], stages: [] };
}

function raw(doc: Doc): unknown[] {
  return list(doc.stages);
}

/** The stages; without any reference they run one after the other, as the engine chains them. */
export function stagesOf(doc: Doc): StageOf[] {
  const all = raw(doc).map(map);
  const chained = all.every((stage) => text(stage.refId) === '');
  return all.map((config, index) => ({
    index,
    refId: chained ? String(index + 1) : text(config.refId),
    type: text(config.type),
    name: text(config.name) || text(config.type),
    after: chained ? (index === 0 ? [] : [String(index)]) : texts(config.requisiteStageRefIds),
    config,
  }));
}

export function stageOf(doc: Doc, refId: string | undefined): StageOf | undefined {
  return refId === undefined ? undefined : stagesOf(doc).find((stage) => stage.refId === refId);
}

/** The document with its references written out, where it left them to the engine. */
function referenced(doc: Doc): Doc {
  const stages = stagesOf(doc);
  if (stages.every((stage) => text(stage.config.refId) !== '')) return doc;
  const taken = new Set(stages.map((stage) => stage.refId));
  return {
    ...doc,
    stages: stages.map((stage) => {
      if (text(stage.config.refId) !== '') return stage.config;
      const refId = stage.refId === '' ? free(taken) : stage.refId;
      taken.add(refId);
      return { ...stage.config, refId, requisiteStageRefIds: stage.after };
    }),
  };
}

function free(taken: Set<string>): string {
  const numbers = [...taken].map(Number).filter(Number.isInteger);
  return String(Math.max(0, ...numbers) + 1);
}

/** A name that no stage has yet: with a number behind it where it is taken. */
export function freeName(doc: Doc, wanted: string): string {
  const taken = new Set(stagesOf(doc).map((stage) => stage.name));
  if (!taken.has(wanted)) return wanted;
  for (let number = 2; ; number++) if (!taken.has(`${wanted} ${number}`)) return `${wanted} ${number}`;
}

export interface Grown {
  doc: Doc;
  refId: string;
}

/** Adds a stage behind the given ones. */
export function addStage(doc: Doc, stage: JsonMap, after: string[]): Grown {
  const whole = referenced(doc);
  const refId = free(new Set(stagesOf(whole).map((one) => one.refId)));
  const { type, name, ...rest } = stage;
  const made = { type, name, refId, requisiteStageRefIds: after, ...rest };
  return { doc: { ...whole, stages: [...raw(whole), made] }, refId };
}

/** Takes a stage away; those behind it then wait for those before it. */
export function removeStage(doc: Doc, refId: string): Doc {
  const whole = referenced(doc);
  const gone = stageOf(whole, refId);
  if (gone === undefined) return doc;
  const stages = stagesOf(whole)
    .filter((stage) => stage.refId !== refId)
    .map((stage) => {
      if (!stage.after.includes(refId)) return stage.config;
      const after = stage.after.flatMap((one) => (one === refId ? gone.after : [one]));
      return { ...stage.config, requisiteStageRefIds: [...new Set(after)] };
    });
  return { ...whole, stages };
}

/** Puts a copy of a stage beside it, behind the same stages. */
export function copyStage(doc: Doc, refId: string, name: string): Grown | undefined {
  const stage = stageOf(doc, refId);
  if (stage === undefined) return undefined;
  const { refId: _, requisiteStageRefIds: __, ...config } = structuredClone(stage.config);
  return addStage(doc, { ...config, name: freeName(doc, name) }, stage.after);
}

/** Whether `to` already runs, directly or not, after `from`. */
export function runsAfter(doc: Doc, to: string, from: string): boolean {
  const before = new Map(stagesOf(doc).map((stage) => [stage.refId, stage.after]));
  const seen = new Set<string>();
  const open = [to];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    for (const next of before.get(one) ?? []) {
      if (next === from) return true;
      if (!seen.has(next)) {
        seen.add(next);
        open.push(next);
      }
    }
  }
  return false;
}

/** Whether `to` may wait for `from`: not for itself, and not in a circle. */
export function mayConnect(doc: Doc, from: string, to: string): boolean {
  return from !== to && !runsAfter(doc, from, to);
}

function withAfter(doc: Doc, refId: string, change: (after: string[]) => string[]): Doc {
  const whole = referenced(doc);
  const stage = stageOf(whole, refId);
  return stage === undefined ? doc : withValue(whole, ['stages', stage.index, 'requisiteStageRefIds'], change(stage.after));
}

/** Lets `to` wait for `from`. A circle is not made. */
export function connect(doc: Doc, from: string, to: string): Doc {
  if (!mayConnect(doc, from, to)) return doc;
  return withAfter(doc, to, (after) => (after.includes(from) ? after : [...after, from]));
}

export function disconnect(doc: Doc, from: string, to: string): Doc {
  return withAfter(doc, to, (after) => after.filter((one) => one !== from));
}

/** Moves an entry of one of the document's lists by so many places. What is left to the engine's chain moves in the chain. */
export function moveEntry(doc: Doc, key: string, from: number, by: number): Doc {
  const entries = [...list(doc[key])];
  const to = from + by;
  if (from < 0 || to < 0 || from >= entries.length || to >= entries.length) return doc;
  const [one] = entries.splice(from, 1);
  entries.splice(to, 0, one);
  return { ...doc, [key]: entries };
}

/** The document as text. */
export function pretty(doc: unknown): string {
  return JSON.stringify(doc, null, 2) ?? '';
}

export function same(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

/** A document without the fields that every save changes: for comparing. */
export function withoutStamps(doc: Doc): Doc {
  return Object.fromEntries(Object.entries(doc).filter(([key]) => !KEPT_BY_SERVER.includes(key)));
}

/** An older version as a change of the present document: its content, with the present id and stamps. */
export function takenFrom(version: Doc, present: Doc): Doc {
  const stamped = Object.fromEntries(Object.entries(version).flatMap(([key, value]): [string, unknown][] => (!KEPT_BY_SERVER.includes(key) ? [[key, value]] : key in present ? [[key, present[key]]] : [])));
  for (const key of KEPT_BY_SERVER) if (key in present) stamped[key] = present[key];
  return stamped;
}

/** An object with other values for the keys that no form knows: known keys keep their places, dropped ones go, new ones come last. */
export function withRest(whole: JsonMap, known: Set<string>, rest: JsonMap): JsonMap {
  const kept = Object.entries(whole).flatMap(([key, value]): [string, unknown][] => (known.has(key) ? [[key, value]] : key in rest ? [[key, rest[key]]] : []));
  const added = Object.entries(rest).filter(([key]) => !(key in whole) || known.has(key));
  return Object.fromEntries([...kept, ...added]);
}

/** The keys that no form knows. */
export function restOf(whole: JsonMap, known: Set<string>): JsonMap {
  return Object.fromEntries(Object.entries(whole).filter(([key]) => !known.has(key)));
}
