// The stage types that can be chosen, what each does, and what a new stage of it begins with.

import { list, map, type JsonMap } from '../../api/read';
import type { StageKinds } from '../../api/editor';
import { matches } from '../../parts/match';
import { wordOf } from '../../parts/word';
import type { Texts } from '../../texts/en';

export interface KindOffer {
  type: string;
  about: string;
}

/** The most used first. */
const FIRST = ['wait', 'manualJudgment', 'bake', 'deploy', 'webhook', 'script', 'pipeline', 'checkPreconditions', 'evaluateVariables'];

/** All types that the server tells, else those that every server has. */
export function offersOf(kinds: StageKinds | undefined, t: Texts): KindOffer[] {
  const about = (type: string) => wordOf(t.stageKinds, type);
  const types = kinds === undefined || kinds.kinds.size === 0 ? Object.keys(t.stageKinds) : [...kinds.kinds.keys()];
  const first = FIRST.filter((type) => types.includes(type));
  const known = types.filter((type) => !first.includes(type) && about(type) !== undefined);
  const others = types.filter((type) => !first.includes(type) && about(type) === undefined).sort();
  return [...first, ...known, ...others].map((type) => ({ type, about: about(type) ?? '' }));
}

export function fitting(offers: KindOffer[], typed: string): KindOffer[] {
  return offers.filter((offer) => matches(`${offer.type} ${offer.about}`, typed));
}

const PRESETS: Record<string, JsonMap> = {
  wait: { waitTime: 30 },
  manualJudgment: { failPipeline: true, instructions: '', judgmentInputs: [] },
  webhook: { method: 'POST', url: '' },
  checkPreconditions: { preconditions: [] },
  evaluateVariables: { variables: [] },
  script: { command: [] },
  deploy: { clusters: [{ strategy: 'redblack', capacity: { min: 1, max: 1, desired: 1 } }] },
  pipeline: { pipeline: '', waitForCompletion: true },
};

/** A new stage: its type, a name of words, and the fields that most of its type have. */
export function newStage(type: string, name: string, application: string): JsonMap {
  const preset = structuredClone(PRESETS[type] ?? {});
  if (type === 'deploy') preset.clusters = list(preset.clusters).map((cluster) => ({ application, ...map(cluster) }));
  return { type, name, ...preset };
}
