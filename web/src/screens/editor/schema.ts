// What a field's JSON schema means for a form: which control suits it. Reads the shapes that schemars writes and the server's short notation gives. Pure.

import { list, map, optText, text, texts } from '../../api/read';

export type Schema = Record<string, unknown>;

export interface Choice {
  value: string | number | boolean;
  title?: string | undefined;
  help: string | undefined;
}

/** The control that suits a field. */
export type Kind =
  | { is: 'text' }
  | { is: 'number'; whole: boolean; min: number | undefined; max: number | undefined }
  | { is: 'flag' }
  | { is: 'choice'; of: Choice[] }
  | { is: 'list'; of: Schema }
  | { is: 'fields'; of: Schema }
  | { is: 'json' };

export interface Field {
  key: string;
  label: string;
  help: string | undefined;
  preset: unknown;
  required: boolean;
  schema: Schema;
}

const DEEPEST = 12;

/** Follows `$ref` within the document that it stands in. */
export function resolved(root: Schema, schema: unknown, depth = 0): Schema {
  const here = map(schema);
  const ref = text(here.$ref);
  if (!ref.startsWith('#/') || depth > DEEPEST) return here;
  let target: unknown = root;
  for (const step of ref.slice(2).split('/')) target = map(target)[step.replaceAll('~1', '/').replaceAll('~0', '~')];
  const { $ref: _, ...beside } = here;
  return { ...resolved(root, target, depth + 1), ...beside };
}

function typesOf(schema: Schema): string[] {
  return (Array.isArray(schema.type) ? texts(schema.type) : [text(schema.type)]).filter((one) => one !== '' && one !== 'null');
}

/** The kinds that a schema admits, apart from null. */
function options(root: Schema, schema: Schema): Schema[] {
  const either = [...list(schema.anyOf), ...list(schema.oneOf)];
  // What describes the field itself is no help for one of its choices.
  if (either.length === 0) return [{ ...schema, description: undefined }];
  return either.map((one) => resolved(root, one)).filter((one) => text(one.type) !== 'null' && one.const !== null);
}

function choices(found: Schema[]): Choice[] | undefined {
  const of: Choice[] = [];
  for (const one of found) {
    const help = optText(one.description);
    if (one.const !== undefined) of.push({ value: one.const as Choice['value'], title: optText(one.title), help });
    else if (Array.isArray(one.enum)) of.push(...(one.enum as unknown[]).filter((value) => value !== null).map((value) => ({ value: value as Choice['value'], help })));
    else return undefined;
  }
  const plain = of.every((one) => ['string', 'number', 'boolean'].includes(typeof one.value));
  return of.length > 0 && plain ? of : undefined;
}

function bound(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function plainKind(root: Schema, schema: Schema): Kind {
  const of = choices([schema]);
  if (of !== undefined) return { is: 'choice', of };
  const all = list(schema.allOf);
  if (schema.type === undefined && all.length === 1) return kindOf(root, { ...resolved(root, all[0]), ...schema, allOf: undefined }, undefined);
  const types = typesOf(schema);
  if (types.length > 1 && types.every((one) => one === 'integer' || one === 'number' || one === 'string')) return { is: 'text' };
  switch (types.length === 1 ? types[0] : '') {
    case 'string':
      return { is: 'text' };
    case 'integer':
    case 'number':
      return { is: 'number', whole: types[0] === 'integer', min: bound(schema.minimum), max: bound(schema.maximum) };
    case 'boolean':
      return { is: 'flag' };
    case 'array':
      return typeof schema.items === 'object' && schema.items !== null ? { is: 'list', of: resolved(root, schema.items) } : { is: 'json' };
    case 'object':
      return Object.keys(map(schema.properties)).length > 0 ? { is: 'fields', of: schema } : { is: 'json' };
    default:
      return { is: 'json' };
  }
}

/** The control for a field with this value: of several possible kinds the one that the value has, else the first. */
export function kindOf(root: Schema, schema: unknown, value: unknown): Kind {
  const here = resolved(root, schema);
  const found = options(root, here);
  const of = choices(found);
  if (of !== undefined) return { is: 'choice', of };
  const kinds = found.map((one) => plainKind(root, one));
  // A number or a text: one field takes both.
  if (kinds.length > 1 && kinds.every((kind) => kind.is === 'text' || kind.is === 'number')) return { is: 'text' };
  return kinds.find((kind) => value !== undefined && fits(kind, value)) ?? kinds[0] ?? { is: 'json' };
}

/** Whether a control can show a value. */
export function fits(kind: Kind, value: unknown): boolean {
  if (value === undefined || value === null) return true;
  switch (kind.is) {
    case 'text':
      return typeof value === 'string' || typeof value === 'number';
    case 'number':
      return typeof value === 'number' || typeof value === 'string';
    case 'flag':
      return typeof value === 'boolean' || value === 'true' || value === 'false';
    case 'choice':
      return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
    case 'list':
      return Array.isArray(value);
    case 'fields':
      return typeof value === 'object' && !Array.isArray(value);
    case 'json':
      return true;
  }
}

export function isExpression(value: unknown): value is string {
  return typeof value === 'string' && value.includes('${');
}

/** How abbreviations are written. */
const SHORT: Record<string, string> = { url: 'URL', urls: 'URLs', id: 'ID', ids: 'IDs', json: 'JSON', yaml: 'YAML', cpu: 'CPU', mb: 'MB', ttl: 'TTL', http: 'HTTP' };

/** `waitTime` as words: `Wait time`. */
export function wordsOf(key: string): string {
  const words = key
    .replaceAll(/[_-]+/g, ' ')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .trim()
    .split(' ')
    .map((word) => SHORT[word.toLowerCase()] ?? (/^[A-Z]{2,}$/.test(word) ? word : word.toLowerCase()))
    .join(' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What the page calls a field, and says of it. */
export type Naming = (key: string) => { label: string; help?: string } | undefined;

/** The fields of an object's schema, those that must be there first. A schema with titles has its own words. */
export function fieldsOf(root: Schema, schema: Schema, naming?: Naming): Field[] {
  const required = new Set(texts(schema.required));
  const fields = Object.entries(map(schema.properties)).map(([key, one]): Field => {
    const here = resolved(root, one);
    const title = text(here.title);
    const words = title === '' ? naming?.(key) : undefined;
    return { key, label: title || words?.label || wordsOf(key), help: words?.help ?? optText(here.description), preset: here.default ?? undefined, required: required.has(key), schema: here };
  });
  return [...fields.filter((field) => field.required), ...fields.filter((field) => !field.required)];
}

/** What a new entry of a list begins with. */
export function firstValue(root: Schema, schema: Schema): unknown {
  const kind = kindOf(root, schema, undefined);
  if (schema.default !== undefined && schema.default !== null) return schema.default;
  switch (kind.is) {
    case 'text':
      return '';
    case 'number':
      return 0;
    case 'flag':
      return false;
    case 'choice':
      return kind.of[0]?.value ?? '';
    case 'list':
      return [];
    case 'fields':
    case 'json':
      return {};
  }
}

/** So many fields are shown at once. */
const FEW = 7;

/** What people look for first, in this order. */
const FIRST = ['account', 'region', 'application', 'stack', 'freeFormDetails', 'package', 'image', 'strategy', 'capacity', 'loadBalancers', 'clusters', 'cluster', 'target', 'preconditions', 'variables', 'pipeline', 'waitForCompletion'];

export interface Arranged {
  /** The fields that stand open, in the order of the form. */
  open: string[];
  /** Those that wait behind a line. */
  more: string[];
}

/** Arranges the fields of a form: what is required or set, what people look for, then as many as are few; the others behind a line. */
export function arranged(fields: Field[], value: Record<string, unknown>): Arranged {
  const keys = fields.map((field) => field.key);
  const set = fields.filter((field) => field.required || value[field.key] !== undefined).map((field) => field.key);
  // One thing under another name is no second field.
  const first = FIRST.filter((key) => keys.includes(key) && !(key === 'cluster' && keys.includes('clusters')));
  const order = [...new Set([...set, ...first, ...keys])];
  const few = order.length <= FEW + 2 ? order.length : Math.max(FEW, new Set([...set, ...first]).size);
  return { open: order.slice(0, few), more: order.slice(few) };
}
