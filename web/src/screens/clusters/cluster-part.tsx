// One cluster: its groups as rows, the newest first, and what is held back from it.

import { memo } from 'react';
import type { ServerGroup } from '../../api/inventory';
import type { Named } from '../../api/named';
import { LongList } from '../../parts/long-list';
import { useTexts } from '../../texts';
import { GroupRow } from './group-row';
import { HeldPart } from './held';
import type { ShownCluster } from './shown';

/** The heights of a cluster's lines, as clusters.css has them. */
const ROW = 46;
const AROUND = 84;

export const guessCluster = (cluster: ShownCluster) => AROUND + ROW * cluster.groups.length;

export const keyOfCluster = (cluster: ShownCluster) => `${cluster.account} ${cluster.name}`;
const keyOfGroup = (group: ServerGroup) => `${group.region} ${group.name}`;

interface Props {
  cluster: ShownCluster;
  chosen: ServerGroup | undefined;
  instance: string | undefined;
  onSelect: (group?: Named, instance?: string) => void;
}

export const ClusterPart = memo(function ClusterPart({ cluster, chosen, instance, onSelect }: Props) {
  const t = useTexts();
  const own = chosen !== undefined && cluster.groups.includes(chosen) ? chosen : undefined;
  return (
    <li className="cluster">
      <h2>
        <span className="faint">{cluster.account}</span>
        <span className="faint">/</span>
        <bdi>{cluster.name}</bdi>
        <span className="faint small">{t.clusters.groups(cluster.groups.length)}</span>
      </h2>
      <div className="group-table" role="table" aria-label={cluster.name}>
        <div className="group-line group-head" role="row">
          {[t.clusters.version, t.clusters.traffic, t.clusters.image, t.clusters.instances, t.clusters.capacity, t.clusters.age, t.clusters.state].map((word) => (
            <span key={word} role="columnheader">
              {word}
            </span>
          ))}
        </div>
        <LongList role="rowgroup" items={cluster.groups} keyOf={keyOfGroup} guess={ROW} short={40} reveal={own === undefined ? undefined : keyOfGroup(own)}>
          {(one) => <GroupRow group={one} share={cluster.shares.get(one.name) ?? 0} selected={own === one} instance={own === one ? instance : undefined} onSelect={onSelect} />}
        </LongList>
      </div>
      <HeldPart cluster={cluster} />
    </li>
  );
});
