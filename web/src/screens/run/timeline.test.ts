// The timeline tells working from waiting.

import { describe, expect, it } from 'vitest';
import { behind, readExecution } from '../../api/execution';
import { axisOf, rowsOf, sums, united, without } from './timeline';

const run = readExecution({
  startTime: 0, endTime: 100, status: 'SUCCEEDED',
  stages: [
    { id: 'b', refId: '2', type: 'wait', status: 'SUCCEEDED', startTime: 60, endTime: 90, requisiteStageRefIds: ['1'], context: {}, tasks: [{ id: '1', name: 'wait', status: 'SUCCEEDED', startTime: 60, endTime: 90 }] },
    {
      id: 'in', refId: '1<1', type: 'createServerGroup', status: 'SUCCEEDED', startTime: 0, endTime: 60, parentStageId: 'a', syntheticStageOwner: 'STAGE_BEFORE', context: {},
      tasks: [
        { id: '1', name: 'createServerGroup', status: 'SUCCEEDED', startTime: 0, endTime: 20 },
        { id: '2', name: 'waitForUpInstances', status: 'SUCCEEDED', startTime: 20, endTime: 60 },
      ],
    },
    { id: 'a', refId: '1', type: 'deploy', status: 'SUCCEEDED', startTime: 0, endTime: 60, context: {}, tasks: [] },
    { id: 'c', refId: '3', type: 'noop', status: 'NOT_STARTED', requisiteStageRefIds: ['2'], context: {}, tasks: [] },
  ],
});

describe('a run on the time axis', () => {
  const rows = rowsOf(run, 100);
  it('has stages in the order in which they ran, with what is inside them', () =>
    expect(rows.map((row) => [row.task?.name ?? row.stage.id, row.depth])).toEqual([
      ['a', 0], ['in', 1], ['createServerGroup', 2], ['waitForUpInstances', 2], ['b', 0], ['c', 0],
    ]));
  it('tells waiting from working, also for the stage around', () => {
    expect(rows[0]?.pieces).toEqual([{ from: 0, to: 20, waits: false }, { from: 20, to: 60, waits: true }]);
    expect(sums(rows[4]?.pieces ?? [])).toEqual({ works: 0, waits: 30 });
    expect(rows[5]?.pieces).toEqual([]);
  });
  it('counts the time in which it was held as waiting', () => {
    const held = { ...run, paused: { by: 'ann', at: 5, until: 10 } };
    expect(sums(rowsOf(held, 100)[0]?.pieces ?? [])).toEqual({ works: 15, waits: 45 });
  });
  it('is as long as the run', () => expect(axisOf(run, 5000)).toEqual({ from: 0, to: 1000 }));
  it('of a run that has not begun is empty', () => expect(rowsOf(readExecution({ stages: [{ id: 'x', refId: '1', type: 'wait', context: {} }] }), 5)[0]?.pieces).toEqual([]));
});

it('spans are united and cut', () => {
  expect(united([{ from: 5, to: 9 }, { from: 0, to: 5 }, { from: 20, to: 20 }])).toEqual([{ from: 0, to: 9 }]);
  expect(without([{ from: 0, to: 10 }], [{ from: 2, to: 4 }, { from: 9, to: 20 }])).toEqual([{ from: 0, to: 2 }, { from: 4, to: 9 }]);
});

it('behind a stage is what needs it, directly or not', () => {
  const a = run.stages.find((stage) => stage.id === 'a')!;
  expect(behind(run, a).map((stage) => stage.id)).toEqual(['b', 'c']);
});
