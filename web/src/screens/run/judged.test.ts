// What a judgment is told with.

import { expect, it } from 'vitest';
import { readExecution } from '../../api/execution';
import { readServerGroup } from '../../api/inventory';
import { followsOf, versionsOf } from './judged';

const judge = { id: 'j', refId: '2', type: 'manualJudgment', name: 'Keep it?', status: 'RUNNING', requisiteStageRefIds: ['1'], context: {} };
const run = (context: object) =>
  readExecution({
    stages: [
      { id: 'd', refId: '1', type: 'deploy', name: 'Deploy', context: { 'deploy.server.groups': { here: ['app-v002'] } } },
      { id: 'c', refId: '1<1', type: 'createServerGroup', parentStageId: 'd', context: { source: { serverGroupName: 'app-v001' }, image: '/images/app-3.0', 'deploy.server.groups': { here: ['app-v002'] } } },
      { id: 'x', refId: '1<1>1', type: 'disableCluster', parentStageId: 'c', context: { targetServerGroups: [{ serverGroupName: 'app-v000' }] } },
      { ...judge, context },
      { id: 'l', refId: '3', type: 'wait', name: 'Look back', requisiteStageRefIds: ['2'], context: {} },
    ],
  });
const groups = [readServerGroup({ name: 'app-v000', buildInfo: { package_name: 'app', version: '1.0' } })];

it('which versions: of the group that lost the traffic, and of the one that has it', () =>
  expect(versionsOf(run({}), groups)).toEqual([{ cluster: 'app', from: 'app 1.0', to: 'app-3.0' }]));

it('what follows, as the server says it or as the run tells it', () => {
  const stage = (context: object) => followsOf(run(context), run(context).stages.find((one) => one.id === 'j')!);
  expect(stage({})).toEqual({ continues: ['Look back'], stops: [], goesOn: false });
  expect(stage({ judgment: { continue: { stages: [{ name: 'A' }] }, stop: { status: 'FAILED_CONTINUE', stages: [{ name: 'A' }] } } })).toEqual({ continues: ['A'], stops: ['A'], goesOn: true });
});
