// A cache of answers that misses no change: what was on its way when something changed may be from before, so it is asked for once more.

import { QueryClient, type InvalidateOptions, type InvalidateQueryFilters, type QueryKey } from '@tanstack/react-query';

export class Answers extends QueryClient {
  /**
   * The library gives up an answer that is on its way when a newer one is wanted, but for the first of all: there it joins the request that is under
   * way, and takes what comes for new.
   */
  override async invalidateQueries<K extends QueryKey = QueryKey>(filters?: InvalidateQueryFilters<K>, options?: InvalidateOptions): Promise<void> {
    const first = new Set(
      this.getQueryCache()
        .findAll(filters as InvalidateQueryFilters)
        .filter(({ state }) => state.data === undefined && state.fetchStatus !== 'idle')
        .map((query) => query.queryHash),
    );
    await super.invalidateQueries(filters, options);
    if (first.size > 0) await super.invalidateQueries({ predicate: (query) => first.has(query.queryHash), refetchType: filters?.refetchType ?? 'active' }, options);
  }
}
