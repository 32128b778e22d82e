// The forms of expected artifacts, as schemas like those of the stages, and who asks for one. Pure.

import { list, map, text, type JsonMap } from '../../api/read';
import type { Texts } from '../../texts/en';
import { stagesOf, type Doc, type StageOf } from './model';
import type { Schema } from './schema';

/** What artifacts are, the most used first; another one is written as an expression or as JSON. */
const TYPES = [
  'deb',
  'local/image',
  'docker/image',
  'embedded/base64',
  'http/file',
  'github/file',
  'gitlab/file',
  'bitbucket/file',
  'git/repo',
  'jenkins/file',
  'maven/file',
  'ivy/file',
  'helm/chart',
  'helm/image',
  's3/object',
  'gcs/object',
  'oracle/object',
  'custom/object',
  'amazon/image',
  'gce/image',
  'front50/pipelineTemplate',
];

/** `fetched`: also who fetches it, which nothing is matched by. */
function artifactSchema(t: Texts, about: string, title: string, fetched: boolean): Schema {
  const f = t.artifacts.fields;
  const line = (title: string, description: string): Schema => ({ type: 'string', title, description });
  return {
    type: 'object',
    title,
    description: about,
    properties: {
      type: { enum: TYPES, title: t.editor.type, description: f.type },
      name: line(t.editor.name, f.name),
      version: line(t.repositories.version, f.version),
      location: line(f.location, f.locationHelp),
      reference: line(f.reference, f.referenceHelp),
      ...(fetched ? { artifactAccount: line(f.account, f.accountHelp) } : {}),
    },
  };
}

/** One expected artifact. */
export function expectedSchema(t: Texts): Schema {
  const f = t.artifacts.fields;
  const flag = (title: string, description: string): Schema => ({ type: 'boolean', default: false, title, description });
  return {
    type: 'object',
    properties: {
      displayName: { type: 'string', title: t.editor.name, description: f.displayName },
      id: { type: 'string', title: 'ID', description: f.id },
      matchArtifact: artifactSchema(t, f.matchHelp, f.match, false),
      usePriorArtifact: flag(f.usePrior, f.usePriorHelp),
      useDefaultArtifact: flag(f.useDefault, f.useDefaultHelp),
      defaultArtifact: artifactSchema(t, f.defaultHelp, f.default, true),
    },
  };
}

/** The schema of a stage with forms for the artifacts that it expects of itself, where the server only says that there are some. */
export function withArtifactForms(schema: Schema, t: Texts): Schema {
  const properties = map(schema.properties);
  const form = expectedSchema(t);
  const about = { description: t.artifacts.ofStage };
  return {
    ...schema,
    properties: {
      ...properties,
      ...('expectedArtifacts' in properties ? { expectedArtifacts: { type: 'array', items: form, ...about } } : {}),
      ...('expectedArtifact' in properties ? { expectedArtifact: { ...form, ...about } } : {}),
    },
  };
}

/** A new one, with an id that none has. */
export function newExpected(doc: Doc): JsonMap {
  const taken = new Set(list(doc.expectedArtifacts).map((one) => text(map(one).id)));
  let number = taken.size + 1;
  while (taken.has(`artifact-${number}`)) number++;
  return { id: `artifact-${number}`, displayName: `artifact-${number}`, matchArtifact: { type: 'deb', name: '' }, usePriorArtifact: false, useDefaultArtifact: false };
}

/** The ids that a trigger asks for: texts, or objects with an id. */
export function askedBy(trigger: JsonMap): string[] {
  return list(trigger.expectedArtifactIds).map((one) => text(one) || text(map(one).id));
}

/** A trigger's ids with one more or without it; the others stay as they are written. */
export function asking(trigger: JsonMap, id: string, on: boolean): unknown[] | undefined {
  const others = list(trigger.expectedArtifactIds).filter((one) => (text(one) || text(map(one).id)) !== id);
  const ids = on ? [...others, id] : others;
  return ids.length === 0 ? undefined : ids;
}

export interface Users {
  /** Places of the triggers in their list. */
  triggers: number[];
  stages: StageOf[];
}

/** Who names an artifact: triggers that must bring it, and stages with a field for artifacts that holds its id. */
export function usersOf(doc: Doc, id: string): Users {
  if (id === '') return { triggers: [], stages: [] };
  return {
    triggers: list(doc.triggers).flatMap((one, at) => (askedBy(map(one)).includes(id) ? [at] : [])),
    stages: stagesOf(doc).filter((stage) => names(stage.config, id, false)),
  };
}

/** Fields of which a stage speaks of its own artifacts, which have ids of their own. */
const OWN = new Set(['expectedArtifacts', 'expectedArtifact']);

function names(value: unknown, id: string, inArtifact: boolean): boolean {
  if (typeof value === 'string') return inArtifact && value === id;
  if (Array.isArray(value)) return value.some((one) => names(one, id, inArtifact));
  return Object.entries(map(value)).some(([key, one]) => !OWN.has(key) && names(one, id, inArtifact || /artifact/i.test(key)));
}

/** Whether a run looks for it: something asks for it, or it has somewhere to come from. */
export function isSought(artifact: JsonMap, users: Users): boolean {
  return users.triggers.length > 0 || artifact.usePriorArtifact === true || artifact.useDefaultArtifact === true;
}

/** The artifacts of a pipeline by their ids, each with what people call it. */
export function expectedOf(doc: Doc): { id: string; word: string }[] {
  return list(doc.expectedArtifacts).map(map).flatMap((one) => {
    const id = text(one.id);
    return id === '' ? [] : [{ id, word: text(one.displayName) || id }];
  });
}
