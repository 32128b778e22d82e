import { describe, expect, it } from 'vitest';
import { readEvaluated, readFindings, readForecast, readStageKinds, restoreSaid, saveSaid, stampOf } from './editor';

describe('what the editor is told', () => {
  it('is read leniently', () => {
    expect(readFindings({ findings: [{ severity: 'error', path: '$.stages[1].type', message: 'm', help: 'h' }, { severity: 'odd' }, 7] })).toEqual([
      { severity: 'error', path: '$.stages[1].type', message: 'm', help: 'h' },
      { severity: 'hint', path: '$', message: '', help: undefined },
      { severity: 'hint', path: '$', message: '', help: undefined },
    ]);
    for (const odd of [null, [], 'x', { findings: 3, stages: [null], detail: [] }]) {
      expect(readFindings(odd)).toEqual([]);
      expect(readStageKinds(odd).kinds.size).toBe(0);
      expect(readEvaluated(odd).error).toBe(undefined);
      expect(() => readForecast(odd)).not.toThrow();
    }
  });

  it('a type without a schema has none', () => {
    const { kinds } = readStageKinds({ common: {}, stages: [{ type: 'wait', schema: { properties: {} } }, { type: 'noop', schema: null }] });
    expect([...kinds.keys(), kinds.get('noop')]).toEqual(['wait', 'noop', undefined]);
  });

  it('a plan has the stages inside a stage, and what is not known', () => {
    const plan = readForecast({
      trigger: { parameters: { v: 1 } },
      stages: [{ refId: '1', type: 'bake', fate: 'skipped', why: 'so', before: [{ refId: '0<1', type: 'bake' }], unknown: [{ path: '$.x', expression: '${x}', reason: 'later' }], tasks: [{ name: 'createBake' }] }],
    });
    expect(plan.parameters).toEqual({ v: 1 });
    expect(plan.stages[0]).toMatchObject({ name: 'bake', fate: 'skipped', inner: [{ refId: '0<1' }], unknown: [{ reason: 'later' }], tasks: ['createBake'] });
  });

  it('an expression that fails has a sentence', () => {
    expect(readEvaluated({ result: '${x}', detail: { x: [{ description: 'no' }] } })).toEqual({ value: '${x}', error: 'no' });
    expect(readEvaluated({ result: 3 })).toEqual({ value: 3, error: undefined });
  });

  it('a version has its number, time and author', () => {
    expect(stampOf({ revision: 3, updateTs: '17', lastModifiedBy: 'terry' })).toEqual({ version: 3, at: 17, who: 'terry' });
  });
});

describe('the same said otherwise', () => {
  it('names a file after the pipeline and quotes for a shell', () => {
    const said = saveSaid('http://h', { name: "terry's 배포 / 1" });
    expect(said.command).toBe("spin pipeline save -f 'terry-s-배포-1.json' --gate-endpoint http://h");
    expect(said.request).toContain("'http://h/pipelines?staleCheck=true'");
    expect(said.request).toContain(`'{"name":"terry'\\''s 배포 / 1"}'`);
    expect(restoreSaid('http://h', 'shop', 'ship it', 2).request).toBe('curl -fsS -X POST http://h/applications/shop/pipelineConfigs/ship%20it/history/2/restore');
  });
});
