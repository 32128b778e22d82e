// The forms of the triggers, as schemas like those of the stages. Pure.

import type { JsonMap } from '../../api/read';
import type { Texts } from '../../texts/en';
import type { Schema } from './schema';

export const TRIGGERS = ['cron', 'git', 'webhook', 'apt', 'pipeline', 'manual'] as const;
export type TriggerType = (typeof TRIGGERS)[number];

/** What a pipeline trigger can name: the pipelines of an application. */
export interface Named {
  id: string;
  name: string;
}

type Key = keyof Texts['editor']['triggerFields'];

/** Who sends events of Git, by their names. */
const HOSTS: Schema[] = [
  { const: 'github', title: 'GitHub' },
  { const: 'gitlab', title: 'GitLab' },
  { const: 'bitbucket', title: 'Bitbucket' },
  { const: 'stash', title: 'Bitbucket Server (stash)' },
];

export function triggerSchema(type: string, t: Texts, applications: string[], pipelines: Named[]): Schema | undefined {
  const said = (key: Key): Schema => ({ title: t.editor.triggerLabels[key], description: t.editor.triggerFields[key] });
  const line = (key: Key): Schema => ({ type: 'string', ...said(key) });
  const named = (key: Key, all: Schema[]): Schema => (all.length === 0 ? line(key) : { oneOf: all, ...said(key) });
  const runAsUser = line('runAsUser');
  const form = (required: string[], properties: Schema): Schema => ({ type: 'object', required, properties: { ...properties, runAsUser } });
  switch (type) {
    case 'cron':
      return form(['cronExpression'], { cronExpression: line('cronExpression'), timeZone: line('timeZone') });
    case 'git':
      return form(['source', 'project', 'slug'], {
        source: { oneOf: HOSTS, ...said('gitSource') },
        project: line('project'),
        slug: line('slug'),
        branch: line('branch'),
        events: { type: 'array', items: { type: 'string' }, ...said('events') },
        secret: line('secret'),
      });
    case 'webhook':
      return form(['source'], { source: line('webhookSource'), payloadConstraints: { type: 'object', ...said('payloadConstraints') }, secret: line('secret') });
    case 'apt':
      return form([], {
        package: line('package'),
        version: line('version'),
        prefix: line('prefix'),
        distribution: line('distribution'),
        component: line('component'),
        architecture: line('architecture'),
        mirror: line('mirror'),
      });
    case 'pipeline':
      return form(['application', 'pipeline'], {
        application: named('application', applications.map((name) => ({ const: name }))),
        pipeline: named('pipeline', pipelines.map((one) => ({ const: one.id, title: one.name }))),
        status: { type: 'array', items: { type: 'string', enum: ['successful', 'failed', 'canceled'] }, ...said('status') },
      });
    case 'manual':
      return form([], {});
    default:
      return undefined;
  }
}

const PRESETS: Record<TriggerType, JsonMap> = {
  cron: { cronExpression: '0 0 9 ? * MON-FRI' },
  git: { source: 'github', project: '', slug: '' },
  webhook: { source: '' },
  apt: { package: '' },
  pipeline: { pipeline: '', status: ['successful'] },
  manual: {},
};

export function newTrigger(type: TriggerType, application: string): JsonMap {
  return { type, enabled: true, ...structuredClone(PRESETS[type]), ...(type === 'pipeline' ? { application } : {}) };
}
