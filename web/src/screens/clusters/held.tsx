// Releases that a cluster was rolled back from: who held them back and why, and the way to let them come again.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { heldBackQuery, release, releaseSaid, type HeldBack } from '../../api/held';
import type { ServerGroup } from '../../api/inventory';
import { Confirm } from '../../parts/confirm';
import { Ago } from '../../parts/when';
import { useTexts } from '../../texts';
import { isFrom, isHeld, keyOf, shortRelease } from './held-back';

const route = getRouteApi('/applications/$application/clusters');

function useHeld(account: string, cluster: string): HeldBack[] {
  const { application } = route.useParams();
  const held = useQuery(heldBackQuery(application));
  return (held.data ?? []).filter((one) => isFrom(one, account, cluster));
}

/** What is held back from a cluster: nothing is shown where nothing is. */
export function HeldPart({ cluster }: { cluster: { account: string; name: string } }) {
  const t = useTexts();
  const { application } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const held = useHeld(cluster.account, cluster.name);
  if (held.length === 0) return null;
  const chosen = held.find((one) => keyOf(one) === search.held);
  return (
    <>
      <ul className="held-list" aria-label={t.acting.heldTitle}>
        {held.map((one) => (
          <li key={one.release} className="row" data-held={one.release}>
            <HeldMark />
            <span className="small grow">
              <bdi title={one.release}>{t.acting.heldBy(shortRelease(one.release), one.who, one.reason)}</bdi>{' '}
              <span className="faint">
                <Ago at={one.at} />
              </span>
            </span>
            <button type="button" className="button" onClick={() => void navigate({ search: (was) => ({ ...was, held: keyOf(one) }) })}>
              {t.acting.letGo}
            </button>
          </li>
        ))}
      </ul>
      {chosen !== undefined && <ReleaseDialog application={application} held={chosen} onClose={() => void navigate({ search: ({ held: _, ...rest }) => rest, replace: true })} />}
    </>
  );
}

/** Beside the image of a group that runs what is held back. */
export function HeldBeside({ group }: { group: ServerGroup }) {
  const held = useHeld(group.account, group.cluster);
  return held.some((one) => isHeld(group, one)) ? <HeldMark /> : null;
}

function HeldMark() {
  const t = useTexts();
  return <span className="held-mark">{t.acting.heldBack}</span>;
}

function ReleaseDialog({ application, held, onClose }: { application: string; held: HeldBack; onClose: () => void }) {
  const t = useTexts();
  const queries = useQueryClient();
  const renewed = () => queries.invalidateQueries({ queryKey: ['applications', application, 'heldBack'] });
  return (
    <Confirm
      title={t.acting.letGoTitle(shortRelease(held.release))}
      word={t.acting.letGo}
      name="release"
      act={() => release(application, held)}
      onDone={() => renewed().then(onClose)}
      onClose={onClose}
      said={releaseSaid(location.origin, application, held)}
    >
      <p>{t.acting.letGoSays(held.cluster)}</p>
      <dl className="facts">
        <dt>{t.clusters.version}</dt>
        <dd>
          <code>{held.release}</code>
        </dd>
        <dt>{t.acting.heldWho}</dt>
        <dd>
          <bdi>{held.who}</bdi>
        </dd>
        <dt>{t.acting.reason}</dt>
        <dd>
          <bdi>{held.reason}</bdi>
        </dd>
        <dt>{t.acting.heldSince}</dt>
        <dd>
          <Ago at={held.at} />
        </dd>
      </dl>
    </Confirm>
  );
}
