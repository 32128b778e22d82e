// What the page may do: start a run, answer a judgment, cancel a run. Each also says the same thing as a command and as a request.

import { answer, client } from './client';
import { map, text, type JsonMap } from './read';

export interface Said {
  command: string | undefined;
  request: string;
}

/** Quotes one word for a POSIX shell. */
export function quoted(word: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The same as a request for a shell. */
export function curl(method: string, origin: string, path: string, body?: unknown): string {
  const parts = ['curl', '-fsS', '-X', method, quoted(origin + path)];
  if (body !== undefined) parts.push('-H', quoted('Content-Type: application/json'), '-d', quoted(JSON.stringify(body)));
  return parts.join(' ');
}

/** What a run is started with: parameters, and what an event would have given in its place. */
function triggerOf(parameters: Record<string, string>, event: JsonMap | undefined): JsonMap {
  const trigger = event ?? { type: 'manual' };
  return Object.keys(parameters).length === 0 ? trigger : { ...trigger, parameters: { ...map(trigger.parameters), ...parameters } };
}

/** Starts a pipeline and gives the id of the new run. */
export async function startPipeline(application: string, pipeline: string, parameters: Record<string, string>, event?: JsonMap): Promise<string> {
  const request = client.POST('/pipelines/{application}/{pipeline}', {
    params: { path: { application, pipeline } },
    body: triggerOf(parameters, event),
  });
  return text(map(await answer(request)).ref).split('/').pop() ?? '';
}

export function startSaid(origin: string, application: string, pipeline: string, parameters: Record<string, string>, event?: JsonMap): Said {
  const given = Object.entries(parameters).map(([key, value]) => ` -p ${quoted(`${key}=${value}`)}`);
  return {
    // No command takes an event.
    command: event !== undefined ? undefined : `spin pipeline execute -a ${quoted(application)} -n ${quoted(pipeline)}${given.join('')} --gate-endpoint ${origin}`,
    request: curl('POST', origin, `/pipelines/${encodeURIComponent(application)}/${encodeURIComponent(pipeline)}`, triggerOf(parameters, event)),
  };
}

export type Judgment = 'continue' | 'stop';

function judgmentBody(judgment: Judgment, input: string): Record<string, string> {
  return input === '' ? { judgmentStatus: judgment } : { judgmentStatus: judgment, judgmentInput: input };
}

export async function judge(id: string, stage: string, judgment: Judgment, input: string): Promise<void> {
  await answer(client.PATCH('/pipelines/{id}/stages/{stage}', { params: { path: { id, stage } }, body: judgmentBody(judgment, input) }));
}

export function judgeSaid(origin: string, id: string, stage: string, judgment: Judgment, input: string): Said {
  return { command: undefined, request: curl('PATCH', origin, `/pipelines/${id}/stages/${stage}`, judgmentBody(judgment, input)) };
}

export async function cancelRun(id: string, reason: string): Promise<void> {
  await answer(client.PUT('/pipelines/{id}/cancel', { params: { path: { id }, query: reason === '' ? {} : { reason } } }));
}

export function cancelSaid(origin: string, id: string, reason: string): Said {
  const query = reason === '' ? '' : `?${new URLSearchParams({ reason })}`;
  return { command: `spin pipeline execution cancel ${id} --gate-endpoint ${origin}`, request: curl('PUT', origin, `/pipelines/${id}/cancel${query}`) };
}
