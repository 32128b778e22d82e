// The drawer beside the clusters: the selected server group, and of a selected instance its state as a sentence.

import { Link } from '@tanstack/react-router';
import { upCount, type Instance, type ServerGroup } from '../../api/inventory';
import { CopyButton } from '../../parts/dialog';
import { Draw } from '../../parts/icons';
import { Mark } from '../../parts/mark';
import { ofGroup, ofInstance } from '../../parts/status';
import { Ago } from '../../parts/when';
import { useTexts } from '../../texts';
import { meaning } from './address';
import { FollowedTask, GroupActions, InstanceTabs } from './actions';

export function Details({ group, instance, share, onClose }: { group: ServerGroup; instance: Instance | undefined; share: number; onClose: () => void }) {
  const t = useTexts();
  return (
    <aside className="drawer" aria-label={group.name}>
      <header className="drawer-head">
        <h2 className="grow">
          <bdi>{group.name}</bdi>
        </h2>
        <button type="button" className="button quiet" aria-label={t.common.close} onClick={onClose}>
          <Draw what="close" />
        </button>
      </header>
      <FollowedTask />
      {instance !== undefined && <InstanceTabs group={group} instance={instance}><InstancePart instance={instance} /></InstanceTabs>}
      <section>
        {instance !== undefined && <h3>{t.clusters.group}</h3>}
        <p className="row drawer-state">
          <Mark said={ofGroup(group, t)} />
          <span className="soft small">{t.clusters.upOf(upCount(group.instances), group.capacity.desired)}</span>
        </p>
        <p className="row drawer-state">
          <Link className="button" to="/applications/$application/clusters" params={{ application: group.application }} search={{ ...meaning(group), do: 'clone' }}>
            {t.newGroup.clone}
          </Link>
        </p>
        <GroupActions group={group} />
        <dl className="facts">
          <dt>{t.clusters.traffic}</dt>
          <dd>{share === 0 ? t.clusters.noTraffic : t.clusters.share(share)}</dd>
          {group.package !== undefined && (
            <>
              <dt>{t.clusters.package}</dt>
              <dd>
                <bdi>{group.package}</bdi>
              </dd>
            </>
          )}
          {group.image !== undefined && (
            <>
              <dt>{t.clusters.image}</dt>
              <dd className="row">
                <code className="cut" title={group.image}>
                  {group.image}
                </code>
                <CopyButton text={group.image} />
              </dd>
            </>
          )}
          <dt>{t.provenance.title}</dt>
          <dd>
            <Link className="word" to="/provenance" search={{ serverGroup: group.name, account: group.account }}>
              {t.provenance.trace}
            </Link>
          </dd>
          <dt>{t.clusters.capacity}</dt>
          <dd>{t.clusters.desired(group.capacity.min, group.capacity.desired, group.capacity.max)}</dd>
          <dt>{t.clusters.age}</dt>
          <dd>
            <Ago at={group.createdTime} />
          </dd>
          <dt>{t.clusters.region}</dt>
          <dd>
            {group.account} / {group.region}
          </dd>
          <dt>{t.clusters.zones}</dt>
          <dd>{group.zones.join(', ') || t.common.none}</dd>
          <dt>{t.clusters.balancer}</dt>
          <dd>
            {group.balancers.length === 0
              ? t.common.none
              : group.balancers.map((name) => (
                  <Link key={name} className="word" to="/applications/$application/load-balancers" params={{ application: group.application }} search={{ balancer: name, account: group.account, region: group.region }}>
                    <bdi>{name}</bdi>
                  </Link>
                ))}
          </dd>
          {group.preview !== undefined && (
            <>
              <dt>{t.clusters.preview}</dt>
              <dd>
                <span className="row">
                  <code>{group.preview}</code>
                  <CopyButton text={group.preview} />
                </span>
                <span className="faint small">{t.clusters.previewNote}</span>
              </dd>
            </>
          )}
        </dl>
      </section>
    </aside>
  );
}

function InstancePart({ instance }: { instance: Instance }) {
  const t = useTexts();
  const said = ofInstance(instance, t);
  return (
    <section className="instance-part">
      <h3>{t.clusters.instance}</h3>
      <p className="row drawer-state">
        <Mark said={said} />
        <code className="cut" title={instance.id}>
          {instance.name}
        </code>
        <CopyButton text={instance.id} />
      </p>
      <p className={`why tone-edge-${said.tone}`}>{instance.why ?? (said.tone === 'well' ? t.clusters.isUp : t.clusters.noReason)}</p>
      <dl className="facts">
        <dt>{t.clusters.zone}</dt>
        <dd>{instance.zone ?? '–'}</dd>
        <dt>{t.clusters.launched}</dt>
        <dd>
          <Ago at={instance.launchTime} />
        </dd>
        {instance.address !== undefined && (
          <>
            <dt>{t.clusters.address}</dt>
            <dd>
              <code>{instance.address}</code>
            </dd>
          </>
        )}
      </dl>
    </section>
  );
}
