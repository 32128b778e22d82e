// After a change that was made here: the live stream tells of most of them, but a moment later.

import { useQueryClient } from '@tanstack/react-query';
import { ofRepositories } from '../../api/queries';

export function useRenewal(): () => Promise<unknown> {
  const queries = useQueryClient();
  return () => Promise.all(ofRepositories.map((queryKey) => queries.invalidateQueries({ queryKey })));
}
