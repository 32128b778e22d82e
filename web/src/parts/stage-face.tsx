// The face of a stage in a graph: its name on top, its state below.

import type { ReactNode } from 'react';

export function StageFace({ name, foot, share }: { name: string; foot: ReactNode; share?: number | undefined }) {
  return (
    <>
      <span className="graph-name">
        <bdi>{name}</bdi>
      </span>
      <span className="graph-foot">{foot}</span>
      {share !== undefined && (
        <span className="graph-progress">
          <span style={{ width: `${Math.round(share * 100)}%` }} />
        </span>
      )}
    </>
  );
}
