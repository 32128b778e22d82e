// Lets a run of the made-up world move on: one stage after the other, judgments wait for an answer.

const STEP = Number(process.env.STEP ?? 900);

export function play(world, run) {
  const stage = run.stages.find((one) => one.status === 'NOT_STARTED' && one.parentStageId === undefined);
  if (run.status !== 'RUNNING') return;
  if (stage === undefined) {
    run.status = 'SUCCEEDED';
    run.endTime = Date.now();
    world.change('execution', run.id);
    return;
  }
  stage.status = 'RUNNING';
  stage.startTime = Date.now();
  stage.tasks = ['prepare', stage.type, 'confirm'].map((name, at) => ({ id: String(at + 1), name, status: at === 0 ? 'RUNNING' : 'NOT_STARTED', startTime: at === 0 ? Date.now() : undefined }));
  if (stage.type === 'deploy') withInner(run, stage);
  world.change('execution', run.id);
  if (stage.type === 'manualJudgment') {
    stage.tasks[0].waiting = { reason: 'A person has to decide.', since: Date.now() };
    return;
  }
  tick(world, run, stage, 0);
}

function withInner(run, stage) {
  const id = `${stage.id}<1`;
  run.stages.splice(run.stages.indexOf(stage), 0, {
    id,
    refId: `${stage.refId}<1`,
    type: 'createServerGroup',
    name: 'Create server group in local',
    status: 'RUNNING',
    startTime: Date.now(),
    context: {},
    outputs: {},
    syntheticStageOwner: 'STAGE_BEFORE',
    parentStageId: stage.id,
    requisiteStageRefIds: [],
    tasks: [{ id: '1', name: 'waitForUpInstances', status: 'RUNNING', startTime: Date.now(), waiting: { reason: '2 of 4 instances are up; waiting for 2 more until their health check answers.', since: Date.now(), until: Date.now() + 600000 } }],
  });
}

function tick(world, run, stage, at) {
  const lines = world.logs.get(stage.id) ?? [];
  lines.push(`\u001b[36m${stage.name}\u001b[0m step ${at + 1}`, `  working <b>${at}</b> on ${stage.type}`);
  world.logs.set(stage.id, lines);
  world.change('log', `${run.id}/${stage.id}`);
  setTimeout(() => {
    if (run.status !== 'RUNNING') return;
    const task = stage.tasks[at];
    Object.assign(task, { status: 'SUCCEEDED', endTime: Date.now() });
    const next = stage.tasks[at + 1];
    if (next !== undefined) {
      Object.assign(next, { status: 'RUNNING', startTime: Date.now() });
      world.change('execution', run.id);
      tick(world, run, stage, at + 1);
      return;
    }
    finish(world, run, stage);
  }, STEP / 3);
}

export function finish(world, run, stage) {
  Object.assign(stage, { status: 'SUCCEEDED', endTime: Date.now() });
  for (const task of stage.tasks) Object.assign(task, { status: 'SUCCEEDED', endTime: task.endTime ?? Date.now() });
  for (const inner of run.stages.filter((one) => one.parentStageId === stage.id)) {
    Object.assign(inner, { status: 'SUCCEEDED', endTime: Date.now() });
    for (const task of inner.tasks) Object.assign(task, { status: 'SUCCEEDED', endTime: Date.now(), waiting: undefined });
  }
  play(world, run);
}
