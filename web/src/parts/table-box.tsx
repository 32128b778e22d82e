// The place of a table that may be wider than it: it scrolls by itself, and by keys as well.

import type { ReactNode } from 'react';

/** `label`: what the table is, for those who do not see it. */
export function TableBox({ label, className, children }: { label: string; className?: string; children: ReactNode }) {
  return (
    <div className={className === undefined ? 'table-box' : `table-box ${className}`} tabIndex={0} role="region" aria-label={label}>
      {children}
    </div>
  );
}
