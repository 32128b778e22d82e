// The jobs of many applications at once. The server lists them by application; a list over all would be one request.

import { queryOptions } from '@tanstack/react-query';
import { answer, client } from './client';
import { readTaskView, type Execution } from './execution';
import { list } from './read';

/** How many jobs of each application, and how many applications are asked at once. */
const EACH = 100;
const AT_ONCE = 6;

export const tasksOfAllQuery = (applications: string[]) =>
  queryOptions({
    queryKey: ['tasks', '*', ...applications],
    queryFn: async ({ signal }) => {
      const found: Execution[] = [];
      const rest = [...applications];
      const worker = async () => {
        for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
          const request = client.GET('/applications/{application}/tasks', { params: { path: { application: next }, query: { limit: EACH } }, signal });
          found.push(...list(await answer(request)).map(readTaskView));
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      return found;
    },
    enabled: applications.length > 0,
  });
