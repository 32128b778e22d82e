// What the expressions of a stage gave: their text from the pipeline as it is saved, their value or error from the run. Pure.

import { list, map, optNumber, text, type JsonMap } from '../../api/read';

export interface Evaluated {
  /** Where it stands in the stage: `clusters[0].image`. */
  path: string;
  /** The text with its expressions; of an error without a known place the expression alone. */
  written: string;
  /** What it became; nothing while it is not known. */
  value: string | undefined;
  errors: string[];
  at: number | undefined;
}

interface Failure {
  expression: string;
  descriptions: string[];
  at: number | undefined;
}

const MOST = 200;

export function failuresOf(context: JsonMap): Failure[] {
  return Object.entries(map(context.expressionEvaluationSummary)).map(([expression, entries]) => {
    const all = list(entries).map(map);
    return { expression, descriptions: [...new Set(all.map((one) => text(one.description)).filter((one) => one !== ''))], at: optNumber(all[0]?.timestamp) };
  });
}

/** Every text with an expression in it, with its place. */
export function written(value: unknown, path = ''): { path: string; text: string }[] {
  if (typeof value === 'string') return value.includes('${') ? [{ path, text: value }] : [];
  if (Array.isArray(value)) return value.flatMap((one, at) => written(one, `${path}[${at}]`));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, one]) => written(one, path === '' ? key : `${path}.${key}`));
}

/** What stands at a place of a context. */
export function valueAt(context: unknown, path: string): unknown {
  let at: unknown = context;
  for (const part of path.split(/\.|(?=\[)/)) {
    const index = /^\[(\d+)\]$/.exec(part);
    at = index?.[1] !== undefined ? list(at)[Number(index[1])] : map(at)[part];
  }
  return at;
}

/** The expressions of a stage. `config` is the stage as the pipeline has it now; without it only errors are known. */
export function expressionsOf(config: JsonMap | undefined, context: JsonMap, begun: boolean): Evaluated[] {
  const failures = failuresOf(context);
  const texts = written(config ?? {}).slice(0, MOST);
  const told = new Set<string>();
  const found = texts.map(({ path, text: own }): Evaluated => {
    const failed = failures.filter((failure) => own.includes(failure.expression));
    for (const failure of failed) told.add(failure.expression);
    const value = valueAt(context, path);
    const known = begun && value !== undefined && value !== own;
    return { path, written: own, value: known ? (typeof value === 'string' ? value : JSON.stringify(value)) : undefined, errors: failed.flatMap((failure) => failure.descriptions), at: failed[0]?.at };
  });
  const rest = failures
    .filter((failure) => !told.has(failure.expression))
    .map((failure): Evaluated => ({ path: '', written: failure.expression, value: undefined, errors: failure.descriptions, at: failure.at }));
  return [...found, ...rest];
}
