import { describe, expect, it } from 'vitest';
import { readPipeline } from '../../api/config';
import { readExecution } from '../../api/execution';
import { chunksOf, lostOf } from './chunks';

const pipelines = Array.from({ length: 40 }, (_, at) => readPipeline({ id: `p${at}`, name: `pipeline-${at}` }));

describe('runs of many pipelines', () => {
  it('are asked for with those of their neighbours, each once', () => {
    const chunks = chunksOf(pipelines);
    expect(chunks.get('p0')).toBe(chunks.get('p15'));
    expect(chunks.get('p16')).not.toBe(chunks.get('p15'));
    expect([...new Set(chunks.values())].flat()).toEqual(pipelines.map((one) => one.id));
  });
  it('are lost when no pipeline has them', () => {
    const runs = ['p3', 'gone', undefined].map((pipelineConfigId, at) => readExecution({ id: String(at), pipelineConfigId }));
    expect(lostOf(runs, pipelines).map((run) => run.id)).toEqual(['1', '2']);
  });
});
