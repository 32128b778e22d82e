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

const line = (description: string): Schema => ({ type: 'string', description });

export function triggerSchema(type: string, t: Texts, applications: string[], pipelines: Named[]): Schema | undefined {
  const f = t.editor.triggerFields;
  const runAsUser = line(f.runAsUser);
  const form = (required: string[], properties: Schema): Schema => ({ type: 'object', required, properties: { ...properties, runAsUser } });
  switch (type) {
    case 'cron':
      return form(['cronExpression'], { cronExpression: line(f.cronExpression), timeZone: line(f.timeZone) });
    case 'git':
      return form(['source', 'project', 'slug'], {
        source: { type: 'string', enum: ['github', 'gitlab', 'bitbucket', 'stash'], description: f.gitSource },
        project: line(f.project),
        slug: line(f.slug),
        branch: line(f.branch),
        events: { type: 'array', items: { type: 'string' }, description: f.events },
        secret: line(f.secret),
      });
    case 'webhook':
      return form(['source'], { source: line(f.webhookSource), payloadConstraints: { type: 'object', description: f.payloadConstraints }, secret: line(f.secret) });
    case 'apt':
      return form([], {
        package: line(f.package),
        version: line(f.version),
        prefix: line(f.prefix),
        distribution: line(f.distribution),
        component: line(f.component),
        architecture: line(f.architecture),
        mirror: line(f.mirror),
      });
    case 'pipeline':
      return form(['application', 'pipeline'], {
        application: applications.length === 0 ? line(f.application) : { oneOf: applications.map((name) => ({ const: name })), description: f.application },
        pipeline: pipelines.length === 0 ? line(f.pipeline) : { oneOf: pipelines.map((one) => ({ const: one.id, title: one.name })), description: f.pipeline },
        status: { type: 'array', items: { type: 'string', enum: ['successful', 'failed', 'canceled'] }, description: f.status },
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
