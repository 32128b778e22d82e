// What a person may do with a run beside judging and cancelling it: pause, resume, skip a wait, restart a stage. Each also says itself as a command.

import { curl, quoted, type Said } from './actions';
import { answer, client } from './client';

export type RunAct = { kind: 'pause' | 'resume' } | { kind: 'skip' | 'restart'; stage: string };

const SKIP = { skipRemainingWait: true };

export async function doRunAct(id: string, act: RunAct): Promise<void> {
  switch (act.kind) {
    case 'pause':
      return void (await answer(client.PUT('/pipelines/{id}/pause', { params: { path: { id } } })));
    case 'resume':
      return void (await answer(client.PUT('/pipelines/{id}/resume', { params: { path: { id } } })));
    case 'skip':
      return void (await answer(client.PATCH('/pipelines/{id}/stages/{stage}', { params: { path: { id, stage: act.stage } }, body: SKIP })));
    case 'restart':
      return void (await answer(client.PUT('/pipelines/{id}/stages/{stage}/restart', { params: { path: { id, stage: act.stage } }, body: {} })));
  }
}

export function runActSaid(origin: string, id: string, act: RunAct): Said {
  const stage = 'stage' in act ? ` --stage ${quoted(act.stage)}` : '';
  const command = `gennaker pipeline execution ${act.kind} ${id}${stage} --server ${origin}`;
  switch (act.kind) {
    case 'skip':
      return { command, request: curl('PATCH', origin, `/pipelines/${id}/stages/${act.stage}`, SKIP) };
    case 'restart':
      return { command, request: curl('PUT', origin, `/pipelines/${id}/stages/${act.stage}/restart`, {}) };
    default:
      return { command, request: curl('PUT', origin, `/pipelines/${id}/${act.kind}`) };
  }
}
