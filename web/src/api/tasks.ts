// Doing one thing now: a task of one job, posted, and followed until it has ended.

import { queryOptions } from '@tanstack/react-query';
import { answer, client } from './client';
import { curl, quoted, type Said } from './actions';
import { readTaskView } from './execution';
import { map, text } from './read';

/** What a task does: the fields of a stage, `type` among them. */
export type Job = { type: string } & Record<string, unknown>;

function body(application: string, description: string, job: Job) {
  return { application, description, job: [job] };
}

/** Posts a task and gives its id. */
export async function postTask(application: string, description: string, job: Job): Promise<string> {
  return text(map(await answer(client.POST('/tasks', { body: body(application, description, job) }))).ref).split('/').pop() ?? '';
}

export function taskSaid(origin: string, application: string, description: string, job: Job, command: string | undefined): Said {
  return { command, request: curl('POST', origin, '/tasks', body(application, description, job)) };
}

/** Any job as a command: `gennaker task run TYPE -a APP field=value …`. */
export function taskCommand(origin: string, application: string, job: Job): string {
  const fields = Object.entries(job)
    .filter(([key]) => key !== 'type')
    .map(([key, value]) => quoted(`${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`));
  return ['gennaker task run', job.type, '-a', quoted(application), ...fields, '--server', origin].join(' ');
}

/** One task, renewed with every step that it takes. */
export const taskQuery = (id: string) =>
  queryOptions({
    queryKey: ['run', id, 'task'],
    queryFn: async ({ signal }) => readTaskView(await answer(client.GET('/tasks/{id}', { params: { path: { id } }, signal }))),
  });
