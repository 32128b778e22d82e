// A job that is posted as a task: creating, changing and acting on what an application consists of. Each also says itself as a command and as a
// request.

import { queryOptions } from '@tanstack/react-query';
import { curl, quoted, type Said } from './actions';
import { answer, client } from './client';
import { errorsOf, isOver, readTaskView } from './execution';
import { map, text, type JsonMap } from './read';

/** The fields of a stage, `type` among them. */
export type Job = JsonMap & { type: string };

export interface Asked {
  application: string;
  /** What the list of tasks calls it. */
  description: string;
  job: Job;
}

/** How long between two looks at a job that asks a cloud. */
const LOOK = 250;

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

/** Posts the job and waits for its end: those that ask no cloud are over at once. What fails is thrown with its own sentence. */
export async function finish(asked: Asked): Promise<void> {
  const id = await startTask(asked);
  for (;;) {
    const task = await readTask(id);
    if (isOver(task.status)) {
      if (task.status !== 'SUCCEEDED') throw new Error(task.stages.flatMap(errorsOf).join(' ') || task.status);
      return;
    }
    await new Promise((go) => setTimeout(go, LOOK));
  }
}

async function readTask(id: string, signal?: AbortSignal) {
  return readTaskView(await answer(client.GET('/tasks/{id}', { params: { path: { id } }, ...(signal === undefined ? {} : { signal }) })));
}

/** One task. The live stream renews it as it renews a run. */
export const taskQuery = (id: string) => queryOptions({ queryKey: ['run', id, 'task'], queryFn: ({ signal }) => readTask(id, signal) });

export function taskSaid(origin: string, asked: Asked, command = taskCommand(origin, asked)): Said {
  return { command, request: taskRequest(origin, asked) };
}

export function taskRequest(origin: string, asked: Asked): string {
  return curl('POST', origin, '/tasks', bodyOf(asked));
}

/** Any job as a command: `gennaker task run TYPE -a APP field=value …`. */
export function taskCommand(origin: string, asked: Asked): string {
  const { type, ...fields } = asked.job;
  const words = Object.entries(fields).flatMap(([key, value]) => assigned(key, value));
  return ['gennaker task run', quoted(type), '-a', quoted(asked.application), ...words.map(quoted), '--server', quoted(origin)].join(' ');
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
