// Clusters of an application: account, cluster, server groups newest first; the selected group or instance is in the address.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { serverGroupsQuery } from '../../api/queries';
import { clustersOf, trafficShares, type Cluster } from '../../api/inventory';
import { Answered, Empty } from '../../parts/answers';
import { useLast } from '../../parts/last';
import { useTexts } from '../../texts';
import { Deploy } from './deploy';
import { FollowedTask } from './actions';
import { GroupRow } from './group-row';
import { HeldPart } from './held';
import { Details } from './details';
import './clusters.css';
import './actions.css';

const route = getRouteApi('/applications/$application/clusters');

export function ClustersScreen() {
  const t = useTexts();
  const { application } = route.useParams();
  const { group, instance, do: doing } = route.useSearch();
  const navigate = route.useNavigate();
  const groups = useQuery(serverGroupsQuery(application));
  const select = (group?: string, instance?: string) =>
    void navigate({ search: ({ view }) => ({ ...(group === undefined ? {} : { group }), ...(instance === undefined ? {} : { instance, ...(view === undefined ? {} : { view }) }) }) });
  const copied = useLast(groups.data?.find((one) => one.name === group));
  const create = (
    <button type="button" className="button primary" onClick={() => void navigate({ search: { do: 'create' } })}>
      {t.newGroup.create}
    </button>
  );
  return (
    <div className="screen">
      <h1 className="hidden-words">{t.tabs.clusters}</h1>
      <Answered query={groups}>
        {(all) => {
          if (all.length === 0) {
            return (
              <Empty>
                <p>{t.clusters.empty}</p>
                <p>{t.newGroup.empty}</p>
                {create}
              </Empty>
            );
          }
          const clusters = clustersOf(all);
          const chosen = all.find((one) => one.name === group);
          return (
            <div className={chosen === undefined ? 'with-drawer' : 'with-drawer open'}>
              <div className="clusters">
                {chosen === undefined && <FollowedTask />}
                <div className="screen-head">
                  <span className="grow soft small">{t.newGroup.count(all.length, clusters.length)}</span>
                  {create}
                </div>
                {clusters.map((cluster) => (
                  <ClusterPart key={`${cluster.account} ${cluster.name}`} cluster={cluster} group={group} instance={instance} onSelect={select} />
                ))}
              </div>
              {chosen !== undefined && (
                <Details group={chosen} instance={chosen.instances.find((one) => one.id === instance)} share={trafficShares(all.filter((one) => one.cluster === chosen.cluster && one.account === chosen.account)).get(chosen.name) ?? 0} onClose={() => select()} />
              )}
            </div>
          );
        }}
      </Answered>
      {groups.data !== undefined && (doing === 'create' || (doing === 'clone' && copied?.name === group && copied !== undefined)) && (
        <Deploy key={doing} application={application} all={groups.data} copied={doing === 'clone' ? copied : undefined} onClose={() => select(group)} onSelect={select} />
      )}
    </div>
  );
}

interface ClusterProps {
  cluster: Cluster;
  group: string | undefined;
  instance: string | undefined;
  onSelect: (group?: string, instance?: string) => void;
}

function ClusterPart({ cluster, group, instance, onSelect }: ClusterProps) {
  const t = useTexts();
  const shares = trafficShares(cluster.groups);
  return (
    <section className="cluster">
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
        {cluster.groups.map((one) => (
          <GroupRow key={one.name} group={one} share={shares.get(one.name) ?? 0} selected={group === one.name} instance={instance} onSelect={onSelect} />
        ))}
      </div>
      <HeldPart cluster={cluster.name} />
    </section>
  );
}
