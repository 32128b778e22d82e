// Clusters of an application: account, cluster, server groups newest first; the selected group or instance is in the address.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useCallback, useMemo, type ReactNode } from 'react';
import { serverGroupsQuery } from '../../api/queries';
import { clustersOf, trafficShares, type ServerGroup } from '../../api/inventory';
import { isMeant, type Named } from '../../api/named';
import { Answered, Empty } from '../../parts/answers';
import { useFilter } from '../../parts/filter';
import { useLast } from '../../parts/last';
import { LongList } from '../../parts/long-list';
import { useTexts } from '../../texts';
import { meaning } from './address';
import { Deploy } from './deploy';
import { FollowedTask } from './actions';
import { ClusterPart, guessCluster, keyOfCluster } from './cluster-part';
import { Details } from './details';
import { shownClusters } from './shown';
import './clusters.css';
import './actions.css';

const route = getRouteApi('/applications/$application/clusters');

/** Up to so many groups all clusters are in the document. */
const MANY = 60;

export function ClustersScreen() {
  const t = useTexts();
  const { application } = route.useParams();
  const { q, group, account, region, instance, do: doing } = route.useSearch();
  const navigate = route.useNavigate();
  const groups = useQuery(serverGroupsQuery(application));
  const select = useCallback(
    (group?: Named, instance?: string) =>
      void navigate({
        search: ({ q, view }) => ({ ...(q === undefined ? {} : { q }), ...(group === undefined ? {} : meaning(group)), ...(instance === undefined ? {} : { instance, ...(view === undefined ? {} : { view }) }) }),
      }),
    [navigate],
  );
  const [typed, field] = useFilter({ kept: q, label: t.common.filter, keep: (q) => void navigate({ search: ({ q: _, ...rest }) => ({ ...rest, ...(q === undefined ? {} : { q }) }), replace: true }) });
  const meant = (one: ServerGroup) => isMeant({ name: group, account, region }, one);
  const copied = useLast(groups.data?.find(meant));
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
          const chosen = all.find(meant);
          return (
            <div className={chosen === undefined ? 'with-drawer' : 'with-drawer open'}>
              <div className="clusters">
                {chosen === undefined && <FollowedTask />}
                <Groups all={all} typed={typed} field={field} create={create} chosen={chosen} instance={instance} onSelect={select} />
              </div>
              {chosen !== undefined && (
                <Details group={chosen} instance={chosen.instances.find((one) => one.id === instance)} share={trafficShares(all.filter((one) => one.cluster === chosen.cluster && one.account === chosen.account)).get(chosen.name) ?? 0} onClose={() => select()} />
              )}
            </div>
          );
        }}
      </Answered>
      {groups.data !== undefined && (doing === 'create' || (doing === 'clone' && copied !== undefined && meant(copied))) && (
        <Deploy key={doing} application={application} all={groups.data} copied={doing === 'clone' ? copied : undefined} onClose={() => select(groups.data.find(meant))} onSelect={select} />
      )}
    </div>
  );
}

interface GroupsProps {
  all: ServerGroup[];
  typed: string;
  field: ReactNode;
  create: ReactNode;
  chosen: ServerGroup | undefined;
  instance: string | undefined;
  onSelect: (group?: Named, instance?: string) => void;
}

function Groups({ all, typed, field, create, chosen, instance, onSelect }: GroupsProps) {
  const t = useTexts();
  const clusters = useMemo(() => clustersOf(all), [all]);
  const shown = useMemo(() => shownClusters(clusters, typed), [clusters, typed]);
  const around = chosen === undefined ? undefined : shown.find((one) => one.groups.includes(chosen));
  const named = around === undefined ? undefined : keyOfCluster(around);
  return (
    <>
      <div className="screen-head">
        <span className="grow soft small" role="status">
          {t.newGroup.count(shown.reduce((sum, one) => sum + one.groups.length, 0), shown.length)}
        </span>
        {field}
        {create}
      </div>
      <LongList as="ul" items={shown} keyOf={keyOfCluster} guess={guessCluster} short={all.length > MANY ? 0 : all.length} walked={false} reveal={named}>
        {(cluster) => <ClusterPart cluster={cluster} chosen={chosen} instance={instance} onSelect={onSelect} />}
      </LongList>
    </>
  );
}
