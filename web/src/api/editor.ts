// What the pipeline editor asks of the server: the document, its check, its plan, its history, and what stages and expressions may have.

import { queryOptions } from '@tanstack/react-query';
import { curl, quoted, type Said } from './actions';
import { answer, client } from './client';
import { flag, list, map, number, optNumber, optText, text, texts, type JsonMap } from './read';

export interface Finding {
  severity: 'error' | 'warning' | 'hint';
  path: string;
  message: string;
  help: string | undefined;
}

export function readFindings(value: unknown): Finding[] {
  return list(map(value).findings).map((one) => {
    const finding = map(one);
    const severity = text(finding.severity);
    return {
      severity: severity === 'error' || severity === 'warning' ? severity : 'hint',
      path: text(finding.path, '$'),
      message: text(finding.message),
      help: optText(finding.help),
    };
  });
}

/** The fields of the stage types, as JSON schemas. */
export interface StageKinds {
  common: JsonMap;
  /** By type, in the server's order; undefined where a type says nothing of its fields. */
  kinds: Map<string, JsonMap | undefined>;
}

export function readStageKinds(value: unknown): StageKinds {
  const told = map(value);
  const kinds = list(told.stages).map(map).filter((one) => text(one.type) !== '');
  return {
    common: map(told.common),
    kinds: new Map(kinds.map((one) => [text(one.type), Object.keys(map(one.schema)).length === 0 ? undefined : map(one.schema)])),
  };
}

export const stageKindsQuery = () =>
  queryOptions({
    queryKey: ['stageKinds'],
    staleTime: Infinity,
    retry: false,
    queryFn: async ({ signal }) => readStageKinds(await answer(client.GET('/ui-api/stages', { signal }))),
  });

/** The documents of an application's pipelines, as they are saved. */
export const documentsQuery = (application: string) =>
  queryOptions({
    queryKey: ['pipelines', application, 'documents'],
    queryFn: async ({ signal }) => list(await answer(client.GET('/applications/{application}/pipelineConfigs', { params: { path: { application } }, signal }))).map(map),
  });

export const versionsQuery = (application: string, pipeline: string) =>
  queryOptions({
    queryKey: ['pipelines', application, 'versions', pipeline],
    queryFn: async ({ signal }) => {
      const request = client.GET('/applications/{application}/pipelineConfigs/{pipeline}/history', { params: { path: { application, pipeline }, query: { limit: 100 } }, signal });
      return list(await answer(request)).map(map);
    },
  });

/** What is wrong with a document. The text is the key: the same text is asked once. */
export const findingsQuery = (document: string) =>
  queryOptions({
    queryKey: ['validate', document],
    gcTime: 10_000,
    staleTime: Infinity,
    queryFn: async ({ signal }) => {
      const request = client.POST('/pipelines/validate', { body: document, bodySerializer: (body) => body, headers: { 'Content-Type': 'text/plain' }, signal });
      return readFindings(await answer(request));
    },
  });

export interface Foreseen {
  refId: string;
  type: string;
  name: string;
  fate: string;
  why: string | undefined;
  context: JsonMap;
  unknown: { path: string; expression: string; reason: string }[];
  inner: Foreseen[];
  tasks: string[];
  notes: string[];
}

export interface Forecast {
  parameters: JsonMap;
  notes: string[];
  stages: Foreseen[];
}

function readForeseen(value: unknown): Foreseen {
  const stage = map(value);
  return {
    refId: text(stage.refId),
    type: text(stage.type),
    name: text(stage.name) || text(stage.type),
    fate: text(stage.fate, 'runs'),
    why: optText(stage.why),
    context: map(stage.context),
    unknown: list(stage.unknown).map(map).map((one) => ({ path: text(one.path), expression: text(one.expression), reason: text(one.reason) })),
    inner: [...list(stage.before), ...list(stage.after)].map(readForeseen),
    tasks: list(stage.tasks).map((one) => text(map(one).name)),
    notes: texts(stage.notes),
  };
}

export function readForecast(value: unknown): Forecast {
  const plan = map(value);
  return { parameters: map(map(plan.trigger).parameters), notes: texts(plan.notes), stages: list(plan.stages).map(readForeseen) };
}

function planBody(document: string, parameters: Record<string, string>): JsonMap {
  const trigger = { type: 'manual', ...(Object.keys(parameters).length === 0 ? {} : { parameters }) };
  return { pipeline: JSON.parse(document) as unknown, trigger };
}

/** What a run would do. */
export const forecastQuery = (document: string, parameters: Record<string, string>) =>
  queryOptions({
    queryKey: ['plan', document, JSON.stringify(parameters)],
    gcTime: 10_000,
    retry: false,
    queryFn: async ({ signal }) => readForecast(await answer(client.POST('/pipelines/plan', { body: planBody(document, parameters), signal }))),
  });

export interface CronTold {
  valid: boolean;
  description: string;
  message: string;
  next: number[];
}

export const cronQuery = (expression: string, timeZone: string) =>
  queryOptions({
    queryKey: ['cron', expression, timeZone],
    queryFn: async ({ signal }): Promise<CronTold> => {
      const query = timeZone === '' ? { expression } : { expression, timeZone };
      const told = map(await answer(client.GET('/cron/validate', { params: { query }, signal })));
      const next = texts(told.next).map((one) => Date.parse(one)).filter(Number.isFinite);
      return { valid: flag(told.valid), description: text(told.description), message: text(told.message), next };
    },
  });

export const functionsQuery = () =>
  queryOptions({
    queryKey: ['functions'],
    staleTime: Infinity,
    queryFn: async ({ signal }) =>
      list(map(await answer(client.GET('/capabilities/expressions', { signal }))).functions)
        .map(map)
        .map((one) => ({ name: text(one.name), description: text(one.description) })),
  });

export interface Evaluated {
  value: unknown;
  error: string | undefined;
}

export function readEvaluated(value: unknown): Evaluated {
  const told = map(value);
  const wrong = Object.values(map(told.detail)).flatMap(list).map((one) => text(map(one).description));
  return { value: told.result, error: wrong.find((one) => one !== '') };
}

/** What an expression is in a past run. */
export const evaluatedQuery = (run: string, expression: string) =>
  queryOptions({
    queryKey: ['evaluated', run, expression],
    gcTime: 10_000,
    retry: false,
    queryFn: async ({ signal }) => readEvaluated(await answer(client.GET('/pipelines/{id}/evaluateExpression', { params: { path: { id: run }, query: { expression } }, signal }))),
  });

/** Saves; refused when somebody else saved since it was read. */
export async function savePipeline(document: JsonMap): Promise<void> {
  await answer(client.POST('/pipelines', { params: { query: { staleCheck: true } }, body: document }));
}

export function saveSaid(origin: string, document: JsonMap): Said {
  const file = `${text(document.name, 'pipeline').replaceAll(/[^\p{L}\p{N}._-]+/gu, '-') || 'pipeline'}.json`;
  return { command: `spin pipeline save -f ${quoted(file)} --gate-endpoint ${origin}`, request: curl('POST', origin, '/pipelines?staleCheck=true', document) };
}

export async function restoreVersion(application: string, pipeline: string, version: number): Promise<void> {
  const path = { application, pipeline, number: version };
  await answer(client.POST('/applications/{application}/pipelineConfigs/{pipeline}/history/{number}/restore', { params: { path } }));
}

export function restoreSaid(origin: string, application: string, pipeline: string, version: number): Said {
  const path = `/applications/${encodeURIComponent(application)}/pipelineConfigs/${encodeURIComponent(pipeline)}/history/${version}/restore`;
  return {
    command: `gennaker pipeline restore -a ${quoted(application)} -n ${quoted(pipeline)} --revision ${version} --server ${origin}`,
    request: curl('POST', origin, path),
  };
}

export interface Stamp {
  version: number;
  at: number | undefined;
  who: string;
}

export function stampOf(document: JsonMap): Stamp {
  return { version: number(document.revision), at: optNumber(document.updateTs), who: text(document.lastModifiedBy) };
}
