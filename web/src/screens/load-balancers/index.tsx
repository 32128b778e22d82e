// Load balancers of an application: where they answer, how they check, who stands behind them.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Fragment, memo, useCallback, useMemo } from 'react';
import { balancersQuery } from '../../api/queries';
import { upCount, type Balancer, type HealthCheck } from '../../api/inventory';
import { isMeant } from '../../api/named';
import { Answered, Empty } from '../../parts/answers';
import { CopyButton } from '../../parts/dialog';
import { useLast } from '../../parts/last';
import { LongList } from '../../parts/long-list';
import { Mark } from '../../parts/mark';
import { OpenLink } from '../../parts/open-link';
import { Tiles } from '../../parts/tiles';
import { useTexts } from '../../texts';
import { DeleteBalancer } from './delete';
import { EditBalancer } from './edit';
import './load-balancers.css';

const route = getRouteApi('/applications/$application/load-balancers');

export function LoadBalancersScreen() {
  const t = useTexts();
  const { application } = route.useParams();
  const { balancer, account, region, do: doing } = route.useSearch();
  const navigate = route.useNavigate();
  const balancers = useQuery(balancersQuery(application));
  const isChosen = (one: Balancer) => isMeant({ name: balancer, account, region }, one);
  const last = useLast(balancers.data?.find(isChosen));
  const chosen = last !== undefined && isChosen(last) ? last : undefined;
  const close = () => void navigate({ search: ({ do: _, ...rest }) => rest });
  const create = (
    <button type="button" className="button primary" onClick={() => void navigate({ search: { do: 'create' } })}>
      {t.newBalancer.create}
    </button>
  );
  const none = (
    <Empty>
      <p>{t.balancers.empty}</p>
      <p>{t.newBalancer.empty}</p>
      {create}
    </Empty>
  );
  return (
    <div className="screen">
      <h1 className="hidden-words">{t.tabs.loadBalancers}</h1>
      <Answered query={balancers}>
        {(all) =>
          all.length === 0 ? (
            none
          ) : (
            <>
              <div className="screen-head">
                <span className="grow soft small">{t.newBalancer.count(all.length)}</span>
                {create}
              </div>
              <LongList as="ul" items={all} keyOf={keyOf} guess={guess} short={10} walked={false} reveal={chosen === undefined ? undefined : keyOf(chosen)}>
                {(one) => <BalancerPart balancer={one} application={application} here={isChosen(one)} />}
              </LongList>
            </>
          )
        }
      </Answered>
      {balancers.data !== undefined && (doing === 'create' || (doing === 'edit' && chosen !== undefined)) && (
        <EditBalancer key={doing} application={application} all={balancers.data} balancer={doing === 'edit' ? chosen : undefined} onClose={close} />
      )}
      {doing === 'delete' && chosen !== undefined && <DeleteBalancer application={application} balancer={chosen} onClose={close} />}
    </div>
  );
}

const keyOf = (one: Balancer) => `${one.account} ${one.region} ${one.name}`;

/** The heights of a load balancer without members and of a member, as load-balancers.css has them. */
const guess = (one: Balancer) => Math.max(140, 60 + 39 * one.groups.length);

const BalancerPart = memo(function BalancerPart({ balancer, application, here }: { balancer: Balancer; application: string; here: boolean }) {
  const t = useTexts();
  const carrying = balancer.groups.filter((group) => !group.disabled).reduce((sum, group) => sum + upCount(group.instances), 0);
  return (
    <li className={here ? 'balancer here' : 'balancer'}>
      <h2>
        <bdi>{balancer.name}</bdi>
        <span className="faint small">
          {balancer.account} / {balancer.region}
          {balancer.type !== '' && ` · ${balancer.type}`}
        </span>
        <span className="grow" />
        {(['edit', 'delete'] as const).map((one) => (
          <Link key={one} className="button quiet" to="/applications/$application/load-balancers" params={{ application }} search={{ balancer: balancer.name, account: balancer.account, region: balancer.region, do: one }} aria-label={`${t.wizards[one]}: ${balancer.name}`}>
            {t.wizards[one]}
          </Link>
        ))}
      </h2>
      <div className="balancer-body">
        <dl className="facts">
          <dt>{t.balancers.address}</dt>
          <dd>
            {balancer.listeners.map((listener, at) => (
              <span key={at} className="row balancer-address">
                <code data-address={listener.address}>{listener.address}</code>
                <span className="faint small">{listener.protocol}</span>
                <CopyButton text={listener.address} />
                <OpenLink address={listener.address} />
              </span>
            ))}
          </dd>
          <dt>{t.balancers.check}</dt>
          <dd>
            <Check check={balancer.check} />
          </dd>
          <dt>{t.balancers.members}</dt>
          <dd>{t.balancers.carrying(carrying)}</dd>
        </dl>
        {balancer.groups.length === 0 ? (
          <p className="soft small">{t.balancers.noMembers}</p>
        ) : (
          <LongList as="ul" className="members" items={balancer.groups} keyOf={(group) => group.name} guess={39} short={40}>
            {(group) => <Member group={group} application={application} account={balancer.account} region={balancer.region} />}
          </LongList>
        )}
      </div>
    </li>
  );
});

const Member = memo(function Member({ group, application, account, region }: { group: Balancer['groups'][number]; application: string; account: string; region: string }) {
  const t = useTexts();
  const navigate = route.useNavigate();
  const meant = useMemo(() => ({ group: group.name, account, region }), [group.name, account, region]);
  const open = useCallback((instance: string) => void navigate({ to: '/applications/$application/clusters', params: { application }, search: { ...meant, instance } }), [navigate, application, meant]);
  return (
    <li className="member">
      <Link className="word strong" to="/applications/$application/clusters" params={{ application }} search={meant}>
        <bdi>{group.name}</bdi>
      </Link>
      <Tiles instances={group.instances} onSelect={open} />
      <span className="soft small">{t.clusters.upOf(upCount(group.instances), group.instances.length)}</span>
      {group.disabled && <Mark said={{ tone: 'notrun', word: t.status.disabled }} />}
    </li>
  );
});

function Check({ check }: { check: HealthCheck | undefined }) {
  const t = useTexts();
  if (check === undefined) return <span className="soft">{t.balancers.noCheck}</span>;
  const parts = [
    check.interval === undefined ? undefined : t.balancers.everySeconds(check.interval),
    check.timeout === undefined ? undefined : t.balancers.withinSeconds(check.timeout),
    check.rise === undefined ? undefined : t.balancers.rise(check.rise),
    check.fall === undefined ? undefined : t.balancers.fall(check.fall),
  ].filter((part) => part !== undefined);
  return (
    <>
      <code>{check.what}</code>
      {parts.map((part) => (
        <Fragment key={part}>
          <span className="faint"> · </span>
          <span className="soft">{part}</span>
        </Fragment>
      ))}
    </>
  );
}
