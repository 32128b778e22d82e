// The attributes of an application as fields: which there are, what is wrong with a value, and what of it changed. Pure.

import type { State } from '../../api/application';
import { flag, map, text, type JsonMap } from '../../api/read';

export const TEXT_FIELDS = ['email', 'description', 'cloudProviders', 'instancePort', 'repoType', 'repoProjectKey', 'repoSlug'] as const;
export const FLAG_FIELDS = ['enableRestartRunningExecutions', 'platformHealthOnly', 'platformHealthOnlyShowOverride'] as const;
export type TextField = (typeof TEXT_FIELDS)[number];
export type FlagField = (typeof FLAG_FIELDS)[number];
export type Field = TextField | FlagField | 'permissions';

export type Form = Record<TextField | 'permissions', string> & Record<FlagField, boolean>;

export const REPO_TYPES = ['github', 'gitlab', 'stash', 'bitbucket', 'gitea'];

/** What keeps a value from being saved, by field. */
export type Wrong = Partial<Record<Field, 'email' | 'port' | 'json' | 'permissions'>>;

const PERMISSIONS = ['READ', 'EXECUTE', 'WRITE', 'CREATE'];

function permissionsText(value: unknown): string {
  return Object.keys(map(value)).length === 0 ? '' : JSON.stringify(value, null, 2);
}

export function formOf(attributes: JsonMap): Form {
  const texts = Object.fromEntries(TEXT_FIELDS.map((key) => [key, text(attributes[key])])) as Record<TextField, string>;
  const flags = Object.fromEntries(FLAG_FIELDS.map((key) => [key, flag(attributes[key])])) as Record<FlagField, boolean>;
  return { ...texts, ...flags, permissions: permissionsText(attributes.permissions) };
}

function permissionsOf(written: string): unknown {
  return written.trim() === '' ? {} : JSON.parse(written);
}

export function wrongIn(form: Form): Wrong {
  const wrong: Wrong = {};
  if (!/^[^\s@]+@[^\s@]+$/.test(form.email.trim())) wrong.email = 'email';
  const port = form.instancePort.trim();
  if (port !== '' && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535)) wrong.instancePort = 'port';
  try {
    const permissions = permissionsOf(form.permissions);
    const whole = typeof permissions === 'object' && permissions !== null && !Array.isArray(permissions);
    const good = ([key, roles]: [string, unknown]) => PERMISSIONS.includes(key) && Array.isArray(roles) && roles.every((role) => typeof role === 'string');
    if (!whole || !Object.entries(permissions).every(good)) wrong.permissions = 'permissions';
  } catch {
    wrong.permissions = 'json';
  }
  return wrong;
}

/** What of a form is not what the application has, as it is sent; call it only on a form in which nothing is wrong. */
export function changesOf(attributes: JsonMap, form: Form): JsonMap {
  const before = formOf(attributes);
  const changes: JsonMap = {};
  for (const key of TEXT_FIELDS) {
    const value = form[key].trim();
    if (value !== before[key]) changes[key] = key === 'instancePort' && value !== '' ? Number(value) : value;
  }
  for (const key of FLAG_FIELDS) if (form[key] !== before[key]) changes[key] = form[key];
  const permissions = permissionsOf(form.permissions);
  if (JSON.stringify(permissions) !== JSON.stringify(map(attributes.permissions))) changes.permissions = permissions;
  return changes;
}

/** What every save sets, and so tells nothing. */
const ALWAYS = new Set(['updateTs', 'lastModifiedBy', 'revision', 'deleted', 'createTs', 'user', 'name']);

export interface Difference {
  key: string;
  before: unknown;
  after: unknown;
}

/** Whether a value says as much as none. */
function nothing(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === false || (typeof value === 'object' && Object.keys(value).length === 0);
}

/** The attributes in which two states differ. */
export function differences(before: JsonMap, after: JsonMap): Difference[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((key) => !ALWAYS.has(key)).sort();
  return keys
    .map((key) => ({ key, before: before[key], after: after[key] }))
    .filter((one) => !(nothing(one.before) && nothing(one.after)) && JSON.stringify(one.before) !== JSON.stringify(one.after));
}

/** What a state changed on the one before it; undefined for the first that is known. */
export function changedBy(states: State[], at: number): Difference[] | undefined {
  const [one, before] = [states[at], states[at + 1]];
  if (one === undefined || before === undefined || before.deleted) return undefined;
  return differences(before.body, one.body);
}

/** What the application would be after a restore, told as differences to now. */
export function restoring(now: JsonMap | undefined, state: State): Difference[] {
  return differences(now ?? {}, state.body);
}

/** A value in one line; nothing for none. */
export function shown(value: unknown): string {
  if (nothing(value)) return '';
  return typeof value === 'object' ? JSON.stringify(value) : text(value);
}

/** Attributes that the screen does not know by a name: shown as they are. */
export function others(attributes: JsonMap): JsonMap {
  const known = new Set<string>([...TEXT_FIELDS, ...FLAG_FIELDS, ...ALWAYS, 'permissions', 'trafficGuards', 'accounts']);
  return Object.fromEntries(Object.entries(attributes).filter(([key, value]) => !known.has(key) && !nothing(value)));
}
