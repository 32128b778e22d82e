import { describe, expect, it } from 'vitest';
import { projectBody, readClusters, readProject } from '../../api/projects';
import { NEW, clusterWord, differs, withApplication, withCluster, withPipeline, wrongIn } from './project';

const kept = readProject({ id: '1', name: 'Shop', email: 'a@example.org', config: { applications: ['shop'], clusters: [{ account: 'local', stack: '*', detail: '*', applications: ['shop'] }], pipelineConfigs: [{ application: 'shop', pipelineConfigId: 'p' }] } });

describe('a project', () => {
  it('is read, and sent as it was read', () => {
    expect(projectBody(kept)).toEqual({ id: '1', name: 'Shop', email: 'a@example.org', config: { applications: ['shop'], clusters: [{ account: 'local', stack: '*', detail: '*', applications: ['shop'] }], pipelineConfigs: [{ application: 'shop', pipelineConfigId: 'p' }] } });
    expect(projectBody(NEW)).not.toHaveProperty('id');
    expect(readProject({}).applications).toEqual([]);
  });

  it('needs a name of its own', () => {
    expect(wrongIn(NEW, [kept])).toBe('name');
    expect(wrongIn({ ...NEW, name: ' shop ' }, [kept])).toBe('taken');
    expect(wrongIn(kept, [kept])).toBeUndefined();
  });

  it('loses with an application what hangs on it', () => {
    const without = withApplication(kept, 'shop', false);
    expect(without).toMatchObject({ applications: [], pipelines: [], clusters: [{ applications: [] }] });
    expect(withApplication(without, 'shop', true).applications).toEqual(['shop']);
  });

  it('takes pipelines and clusters in and out', () => {
    const more = withPipeline(kept, { application: 'shop', id: 'q' }, true);
    expect(more.pipelines.map((one) => one.id)).toEqual(['p', 'q']);
    expect(withPipeline(more, { application: 'shop', id: 'p' }, false).pipelines.map((one) => one.id)).toEqual(['q']);
    expect(withCluster(kept, 0, { stack: 'prod' }).clusters[0]).toMatchObject({ stack: 'prod', detail: '*' });
    expect(withCluster(kept, 0, undefined).clusters).toEqual([]);
    expect(differs(kept, { ...kept, updated: 7 })).toBe(false);
    expect(differs(kept, more)).toBe(true);
  });
});

it('reads what runs in its clusters', () => {
  const [cluster] = readClusters([{ account: 'local', stack: 'prod', instanceCounts: { total: 2, up: 1 }, applications: [{ application: 'shop', lastPush: 5, clusters: [{ region: 'here', builds: [{ images: ['a', 'a'] }, {}], instanceCounts: { up: 1 } }] }] }]);
  expect(cluster).toMatchObject({ counts: { total: 2, up: 1, down: 0 }, applications: [{ pushed: 5, regions: [{ region: 'here', images: ['a'] }] }] });
  expect(clusterWord({ stack: 'prod', detail: '*' })).toBe('prod-*');
  expect(clusterWord({ stack: '', detail: '' })).toBe('');
});
