// Load balancers of an application: where they answer, how they check, who stands behind them.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Fragment, useEffect, useRef } from 'react';
import { balancersQuery } from '../../api/queries';
import { upCount, type Balancer, type HealthCheck } from '../../api/inventory';
import { Answered, Empty } from '../../parts/answers';
import { CopyButton } from '../../parts/dialog';
import { Draw } from '../../parts/icons';
import { Mark } from '../../parts/mark';
import { Tiles } from '../../parts/tiles';
import { useTexts } from '../../texts';
import { addressLink } from './address';
import './load-balancers.css';

const route = getRouteApi('/applications/$application/load-balancers');

export function LoadBalancersScreen() {
  const t = useTexts();
  const { application } = route.useParams();
  const { balancer } = route.useSearch();
  const balancers = useQuery(balancersQuery(application));
  return (
    <div className="screen">
      <h1 className="hidden-words">{t.tabs.loadBalancers}</h1>
      <Answered query={balancers}>
        {(all) => (all.length === 0 ? <Empty>{t.balancers.empty}</Empty> : all.map((one) => <BalancerPart key={`${one.account} ${one.region} ${one.name}`} balancer={one} application={application} here={one.name === balancer} />))}
      </Answered>
    </div>
  );
}

function BalancerPart({ balancer, application, here }: { balancer: Balancer; application: string; here: boolean }) {
  const t = useTexts();
  const part = useRef<HTMLElement>(null);
  useEffect(() => {
    if (here) part.current?.scrollIntoView({ block: 'nearest' });
  }, [here]);
  const carrying = balancer.groups.filter((group) => !group.disabled).reduce((sum, group) => sum + upCount(group.instances), 0);
  return (
    <section className={here ? 'balancer here' : 'balancer'} ref={part}>
      <h2>
        <bdi>{balancer.name}</bdi>
        <span className="faint small">
          {balancer.account} / {balancer.region}
          {balancer.type !== '' && ` · ${balancer.type}`}
        </span>
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
          <ul className="members">
            {balancer.groups.map((group) => (
              <li key={group.name} className="member">
                <Link className="word strong" to="/applications/$application/clusters" params={{ application }} search={{ group: group.name }}>
                  <bdi>{group.name}</bdi>
                </Link>
                <Members group={group} application={application} />
                <span className="soft small">{t.clusters.upOf(upCount(group.instances), group.instances.length)}</span>
                {group.disabled && <Mark said={{ tone: 'notrun', word: t.status.disabled }} />}
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}

function Members({ group, application }: { group: Balancer['groups'][number]; application: string }) {
  const navigate = route.useNavigate();
  return <Tiles instances={group.instances} onSelect={(instance) => void navigate({ to: '/applications/$application/clusters', params: { application }, search: { group: group.name, instance } })} />;
}

function OpenLink({ address }: { address: string }) {
  const t = useTexts();
  const link = addressLink(address, location.hostname);
  if (link === undefined) return null;
  return (
    <a className="copy" href={link} target="_blank" rel="noreferrer noopener" title={t.balancers.open} aria-label={`${t.balancers.open}: ${address}`}>
      <Draw what="open" />
    </a>
  );
}

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
