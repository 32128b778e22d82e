// A pipeline as it is saved, and what can be said of it before it runs: its stages in order and what each will do.

import { flag, list, map, number, optText, text, texts, type JsonMap } from './read';
import { waitSeconds } from './execution';
import type { Texts } from '../texts/en';
import { duration } from '../parts/time';
import { wordOf } from '../parts/word';

export interface PlannedStage {
  refId: string;
  type: string;
  name: string;
  requisites: string[];
  config: JsonMap;
  condition: string | undefined;
}

export interface Parameter {
  name: string;
  label: string;
  preset: string;
  required: boolean;
  description: string | undefined;
  options: string[];
}

export interface Pipeline {
  id: string;
  name: string;
  application: string;
  description: string | undefined;
  disabled: boolean;
  limitConcurrent: boolean;
  stages: PlannedStage[];
  parameters: Parameter[];
  triggers: JsonMap[];
}

export function readPipeline(value: unknown): Pipeline {
  const pipeline = map(value);
  const raw = list(pipeline.stages).map(map);
  // Without any reference the stages run one after the other, as the engine chains them.
  const chained = raw.every((stage) => text(stage.refId) === '');
  return {
    id: text(pipeline.id),
    name: text(pipeline.name),
    application: text(pipeline.application),
    description: optText(pipeline.description),
    disabled: flag(pipeline.disabled),
    limitConcurrent: flag(pipeline.limitConcurrent),
    stages: raw.map((stage, at) => ({
      refId: chained ? String(at) : text(stage.refId),
      type: text(stage.type),
      name: text(stage.name) || text(stage.type),
      requisites: chained ? (at === 0 ? [] : [String(at - 1)]) : texts(stage.requisiteStageRefIds),
      config: stage,
      condition: optText(map(stage.stageEnabled).expression),
    })),
    parameters: list(pipeline.parameterConfig).map((one) => {
      const parameter = map(one);
      return {
        name: text(parameter.name),
        label: text(parameter.label) || text(parameter.name),
        preset: text(parameter.default),
        required: flag(parameter.required),
        description: optText(parameter.description),
        options: list(parameter.options).map((option) => text(map(option).value)).filter((option) => option !== ''),
      };
    }),
    triggers: list(pipeline.triggers).map(map).filter((trigger) => trigger.enabled !== false),
  };
}

/** The stages in an order in which each stands behind those it needs; what hangs in a cycle comes last, as written. */
export function inOrder(stages: PlannedStage[]): PlannedStage[] {
  const known = new Set(stages.map((stage) => stage.refId));
  const done = new Set<string>();
  const ordered: PlannedStage[] = [];
  let rest = [...stages];
  while (rest.length > 0) {
    const ready = rest.filter((stage) => stage.requisites.every((need) => done.has(need) || !known.has(need)));
    if (ready.length === 0) return [...ordered, ...rest];
    for (const stage of ready) done.add(stage.refId);
    ordered.push(...ready);
    rest = rest.filter((stage) => !ready.includes(stage));
  }
  return ordered;
}

/** What a stage will do, in a few words; nothing where its type says it all. */
export function intent(stage: PlannedStage, t: Texts): string {
  const config = stage.config;
  switch (stage.type) {
    case 'wait':
      return t.pipelines.waitSeconds(duration(waitSeconds(config) * 1000, t));
    case 'manualJudgment':
      return [t.pipelines.asks, text(config.instructions)].filter((part) => part !== '').join(': ');
    case 'webhook':
      return t.pipelines.calls(`${text(config.method, 'POST')} ${text(config.url)}`);
    case 'script':
      return t.pipelines.executes(Array.isArray(config.command) ? texts(config.command).slice(0, 1).join(' ') : text(config.command));
    case 'bake':
      return t.pipelines.installs(text(config.package));
    case 'deploy':
      return list(config.clusters).map((cluster) => deployIntent(map(cluster), t)).join('; ');
    case 'destroyServerGroup':
      return t.pipelines.destroys(targetOf(config, t));
    case 'disableServerGroup':
    case 'disableCluster':
      return t.pipelines.disables(targetOf(config, t));
    case 'enableServerGroup':
      return t.pipelines.enables(targetOf(config, t));
    case 'scaleDownCluster':
    case 'shrinkCluster':
    case 'resizeServerGroup':
      return t.pipelines.shrinks(targetOf(config, t));
    default:
      return '';
  }
}

function deployIntent(cluster: JsonMap, t: Texts): string {
  const capacity = map(cluster.capacity);
  const strategy = text(cluster.strategy);
  const name = [text(cluster.application), text(cluster.stack), text(cluster.freeFormDetails)].filter((part) => part !== '').join('-');
  const where = [text(cluster.account) || text(cluster.credentials), text(cluster.region)].filter((part) => part !== '').join('/');
  return [
    name,
    where,
    t.pipelines.instancesNew(number(capacity.desired, number(cluster.targetSize, 1))),
    strategy === '' || strategy === 'none' ? '' : t.pipelines.strategy(strategy),
    cluster.enableTraffic === false || flag(cluster.disableTraffic) ? t.pipelines.dark : '',
  ]
    .filter((part) => part !== '')
    .join(', ');
}

function targetOf(config: JsonMap, t: Texts): string {
  const named = text(config.serverGroupName) || text(config.asgName);
  if (named !== '') return named;
  const cluster = text(config.cluster) || text(config.targetCluster);
  const which = wordOf(t.pipelines.target, text(config.target));
  if (which !== undefined) return cluster === '' ? which : `${which} (${cluster})`;
  return cluster || t.pipelines.target.cluster;
}
