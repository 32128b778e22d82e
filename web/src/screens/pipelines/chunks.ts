// Which runs are asked for together: those of some pipelines that stand beside each other in the list. Pure.

import type { Pipeline } from '../../api/config';
import type { Execution } from '../../api/execution';

/** So many pipelines at once: about as many as one sees. */
const TOGETHER = 16;

/** The ids of the pipelines whose runs are asked for with those of each, by its id. */
export function chunksOf(pipelines: Pipeline[]): Map<string, string[]> {
  const chunks = new Map<string, string[]>();
  for (let from = 0; from < pipelines.length; from += TOGETHER) {
    const ids = pipelines.slice(from, from + TOGETHER).map((one) => one.id);
    for (const id of ids) chunks.set(id, ids);
  }
  return chunks;
}

/** Runs whose pipeline is gone, or that were never saved as one. */
export function lostOf(runs: Execution[], pipelines: Pipeline[]): Execution[] {
  const known = new Set(pipelines.map((one) => one.id));
  return runs.filter((run) => run.pipelineConfigId === undefined || !known.has(run.pipelineConfigId));
}
