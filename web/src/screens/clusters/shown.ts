// Which clusters and groups are shown, each group with its share of the traffic: pure.

import { trafficShares, type Cluster, type ServerGroup } from '../../api/inventory';
import { matches } from '../../parts/match';

export interface ShownCluster extends Cluster {
  shares: Map<string, number>;
}

/** The clusters with the groups that match what is typed; shares are those of the whole cluster. */
export function shownClusters(clusters: Cluster[], typed: string): ShownCluster[] {
  const whole = clusters.map((cluster) => ({ ...cluster, shares: trafficShares(cluster.groups) }));
  if (typed.trim() === '') return whole;
  return whole.map((cluster) => ({ ...cluster, groups: cluster.groups.filter((group) => matches(wordsOf(group), typed)) })).filter((cluster) => cluster.groups.length > 0);
}

function wordsOf(group: ServerGroup): string {
  return `${group.name} ${group.account} ${group.region} ${group.package ?? ''} ${group.image ?? ''}`;
}
