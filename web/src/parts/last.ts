// The last that was there of something that may go while it is shown: a dialog that deletes outlives what it deletes.

import { useState } from 'react';

export function useLast<T>(value: T | undefined): T | undefined {
  const [last, setLast] = useState(value);
  if (value !== undefined && value !== last) setLast(value);
  return value ?? last;
}
