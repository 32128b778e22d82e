// One job by `POST /tasks`, followed to its end: most are over at once; what fails is thrown with its own sentence.

import { curl } from './actions';
import { answer, client } from './client';
import { errorsOf, isOver, readTaskView } from './execution';
import { map, text } from './read';

export interface Job {
  application: string;
  description: string;
  job: ({ type: string } & Record<string, unknown>)[];
}

/** How long between two looks at a job that asks a cloud. */
const LOOK = 250;

export async function post(job: Job): Promise<void> {
  const id = text(map(await answer(client.POST('/tasks', { body: job as never }))).ref).split('/').pop() ?? '';
  for (;;) {
    const task = readTaskView(await answer(client.GET('/tasks/{id}', { params: { path: { id } } })));
    if (isOver(task.status)) {
      if (task.status !== 'SUCCEEDED') throw new Error(task.stages.flatMap(errorsOf).join(' ') || task.status);
      return;
    }
    await new Promise((go) => setTimeout(go, LOOK));
  }
}

export function jobRequest(origin: string, job: Job): string {
  return curl('POST', origin, '/tasks', job);
}
