// Runs in lists: some of each pipeline, the newest of an application or of all, one by its id. No list is asked for as a whole.

import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { answer, client } from './client';
import { readExecution, type Execution } from './execution';
import { list } from './read';
import { looksLikeId } from './search';

export function newestFirst(a: Execution, b: Execution): number {
  return (b.buildTime ?? 0) - (a.buildTime ?? 0) || b.id.localeCompare(a.id);
}

/** So many of the newest runs of each of these pipelines, by their ids. */
export const runsOfQuery = (application: string, pipelines: string[], limit: number) =>
  queryOptions({
    queryKey: ['runs', application, String(limit), pipelines.join(',')],
    queryFn: async ({ signal }) => {
      const request = client.GET('/executions', { params: { query: { pipelineConfigIds: pipelines.join(','), limit } }, signal });
      return list(await answer(request)).map(readExecution).sort(newestFirst);
    },
    // A list that has grown by one is asked for under another name.
    placeholderData: keepPreviousData,
  });

/** The newest runs of an application, or of all (`*`), without their stages' data. */
export const newestRunsQuery = (size: number, application = '*') =>
  queryOptions({
    queryKey: ['runs', application, 'newest', String(size)],
    queryFn: async ({ signal }) => {
      const request = client.GET('/applications/{application}/executions/search', { params: { path: { application }, query: { size } }, signal });
      return list(await answer(request)).map(readExecution);
    },
  });

export const runByIdQuery = (id: string) =>
  queryOptions({
    queryKey: ['run-by-id', id],
    queryFn: async ({ signal }) => {
      const request = client.GET('/executions', { params: { query: { executionIds: id, expand: false } }, signal });
      return list(await answer(request)).map(readExecution);
    },
    enabled: looksLikeId(id),
  });
