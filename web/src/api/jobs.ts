// A job that is posted as a task: creating and changing what an application consists of. Each also says itself as a command and as a request.

import { queryOptions } from '@tanstack/react-query';
import { curl, quoted, type Said } from './actions';
import { answer, client } from './client';
import { readTaskView } from './execution';
import { map, text, type JsonMap } from './read';

export interface Asked {
  application: string;
  /** What the list of tasks calls it. */
  description: string;
  job: JsonMap & { type: string };
}

function bodyOf(asked: Asked) {
  return { application: asked.application, description: asked.description, job: [asked.job] };
}

/** Posts the job and gives the id of its task. */
export async function startTask(asked: Asked): Promise<string> {
  return text(map(await answer(client.POST('/tasks', { body: bodyOf(asked) }))).ref).split('/').pop() ?? '';
}

/** Ends a task. What it has made so far stays. */
export async function cancelTask(id: string): Promise<void> {
  await answer(client.PUT('/tasks/{id}/cancel', { params: { path: { id } } }));
}

/** One task. The live stream renews it as it renews a run. */
export const taskQuery = (id: string) =>
  queryOptions({
    queryKey: ['run', id],
    queryFn: async ({ signal }) => readTaskView(await answer(client.GET('/tasks/{id}', { params: { path: { id } }, signal }))),
  });

export function taskSaid(origin: string, asked: Asked): Said {
  const { type, ...fields } = asked.job;
  const words = Object.entries(fields).flatMap(([key, value]) => assigned(key, value));
  return {
    command: ['gennaker task run', quoted(type), '-a', quoted(asked.application), ...words.map(quoted), '--server', quoted(origin)].join(' '),
    request: curl('POST', origin, '/tasks', bodyOf(asked)),
  };
}

/** `capacity.desired=4`: objects by dots, as long as their keys are plain; a text that would be read as JSON is written as JSON. */
function assigned(path: string, value: unknown): string[] {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const inner = Object.entries(value);
    if (inner.length > 0 && inner.every(([key]) => /^[A-Za-z0-9_-]+$/.test(key))) return inner.flatMap(([key, one]) => assigned(`${path}.${key}`, one));
  }
  return [`${path}=${typeof value === 'string' && !isJson(value) ? value : JSON.stringify(value)}`];
}

function isJson(word: string): boolean {
  try {
    JSON.parse(word);
    return true;
  } catch {
    return false;
  }
}
