// After a change that was made here: the live stream tells of it too, but a moment later.

import { useQueryClient } from '@tanstack/react-query';

export function useRenewal(application: string): () => Promise<unknown> {
  const queries = useQueryClient();
  const keys = [['applications'], ['history', application], ['pipelines', application], ['home']];
  return () => Promise.all(keys.map((queryKey) => queries.invalidateQueries({ queryKey })));
}
