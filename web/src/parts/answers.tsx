// What stands where an answer is missing: nothing for a moment, then that it loads; the server's sentence when it refused.

import type { UseQueryResult } from '@tanstack/react-query';
import { useEffect, useState, type ReactNode } from 'react';
import { Refused } from '../api/client';
import { useTexts } from '../texts';

/** Shows `children` of the data as soon as there is any; old data stays while new is fetched or a fetch fails. */
export function Answered<T>({ query, children }: { query: UseQueryResult<T>; children: (data: T) => ReactNode }) {
  const t = useTexts();
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.error !== null) {
    const why = query.error instanceof Refused ? query.error.message : t.common.unreachable;
    return (
      <div className="notice" role="alert">
        <p>{t.common.failed(why)}</p>
        <button type="button" className="button" onClick={() => void query.refetch()}>
          {t.common.again}
        </button>
      </div>
    );
  }
  return <Loading />;
}

/** Says that it loads, but only after a moment: most answers are here before. */
function Loading() {
  const t = useTexts();
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 300);
    return () => clearTimeout(timer);
  }, []);
  return late ? <p className="notice faint">{t.common.loading}…</p> : null;
}

export function Empty({ children }: { children: ReactNode }) {
  return <div className="notice soft">{children}</div>;
}
