// Tasks of aptly's own API: what they do, how far they are, how they ended. They have no events, so whoever shows one asks again and again.

import { queryOptions } from '@tanstack/react-query';
import { perform, type Call } from './aptly';
import { map, number, optNumber, text } from './read';

/** How long between two looks at a task that goes on. */
const LOOK = 400;

export interface Share {
  done: number;
  all: number;
}

export interface AptlyTask {
  state: 'waiting' | 'running' | 'done' | 'failed';
  packages: Share | undefined;
  bytes: Share | undefined;
  /** What it said last; of one that failed, why. */
  last: string;
}

const STATES = ['waiting', 'running', 'done', 'failed'] as const;
const FAILED = 'Task failed with error: ';

export const taskIsOver = ({ state }: AptlyTask) => state === 'done' || state === 'failed';

/** Begins what is answered with a task, and gives its number. */
export async function beginTask(call: Call): Promise<number> {
  return number(map(await perform(call)).ID);
}

export const aptlyTaskQuery = (id: number) =>
  queryOptions({
    queryKey: ['aptly-task', id],
    queryFn: async ({ signal }) => {
      const ask = (what: string) => perform({ method: 'GET', path: `/api/tasks/${id}${what}` }, signal);
      // The state first: what is asked for after it is at least as new.
      const task = await ask('');
      const [detail, output] = await Promise.all([ask('/detail'), ask('/output')]);
      return readAptlyTask(task, detail, output);
    },
    refetchInterval: ({ state: { data } }) => (data !== undefined && taskIsOver(data) ? false : LOOK),
  });

export function readAptlyTask(task: unknown, detail: unknown, output: unknown): AptlyTask {
  const counted = map(detail);
  const share = (all: unknown, left: unknown): Share | undefined => {
    const found = optNumber(all);
    return found === undefined || found === 0 ? undefined : { all: found, done: Math.max(0, found - number(left)) };
  };
  const lines = text(output).split('\n').map((line) => line.trim()).filter((line) => line !== '');
  const last = lines.at(-1) ?? '';
  return {
    state: STATES[number(map(task).State)] ?? 'running',
    packages: share(counted.TotalNumberOfPackages, counted.RemainingNumberOfPackages),
    bytes: share(counted.TotalDownloadSize, counted.RemainingDownloadSize),
    last: last.startsWith(FAILED) ? last.slice(FAILED.length) : last,
  };
}
