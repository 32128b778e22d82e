// The generated client: every path is checked against the server's own OpenAPI document. All requests go to the page's own origin.

import createClient from 'openapi-fetch';
import { through } from './door';
import type { paths } from './schema';

export const client = createClient<paths>({ baseUrl: '', fetch: through });

/** A request that was answered with an error, in the server's own words. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

interface Answered {
  data?: unknown;
  error?: unknown;
  response: Response;
}

/** The body of a good answer; a bad one is thrown with the server's sentence. */
export async function answer(request: Promise<Answered>): Promise<unknown> {
  const { data, error, response } = await request;
  if (response.ok) return data;
  const sentence = sentenceOf(error) ?? `${response.status} ${response.statusText}`.trim();
  throw new Refused(response.status, traced(response.status, sentence, response.headers.get('x-request-id')));
}

/** A sentence about an error of the server, with the request's id: whoever runs the server finds it in the log. */
export function traced(status: number, sentence: string, id: string | null): string {
  return status >= 500 && id !== null && id !== '' ? `${sentence} (X-Request-Id: ${id})` : sentence;
}

/** What a body says is wrong. */
export function sentenceOf(error: unknown): string | undefined {
  if (typeof error === 'string' && error.trim() !== '') return error.slice(0, 500);
  if (typeof error !== 'object' || error === null) return undefined;
  for (const key of ['message', 'detail', 'title', 'error'] as const) {
    const found = (error as Record<string, unknown>)[key];
    if (typeof found === 'string' && found !== '') return found;
  }
  return undefined;
}
