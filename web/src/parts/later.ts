// A value some time after it has come to rest: for what is asked of the server while somebody types.

import { useEffect, useState } from 'react';

export function useLater<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
