// The cache of answers, and asking for some before the screen that shows them is there.

import type { FetchQueryOptions, QueryKey } from '@tanstack/react-query';
import { Refused } from '../api/client';
import { Answers } from './cache';

export const answers = new Answers({
  defaultOptions: {
    queries: {
      // The live stream says when an answer is old; time alone does not make it so.
      staleTime: 30_000,
      retry: (failed, error) => failed < 2 && !(error instanceof Refused && error.status < 500),
      retryDelay: 500,
    },
  },
});

/**
 * Asks for what a screen shows first while its script is still on the way: when one enters it, not when a pointer passes a link to it. What goes
 * wrong, the screen says when it asks for the same.
 */
export function ahead<T, K extends QueryKey>(cause: 'preload' | 'enter' | 'stay', query: FetchQueryOptions<T, Error, T, K>): void {
  if (cause === 'enter') void answers.prefetchQuery(query);
}
