// Snapshots: what each was made of, how two of them differ (both in the address), and publishing one.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { memo, useMemo, useState } from 'react';
import { dropSnapshot } from '../../api/aptly';
import { repositoriesQuery } from '../../api/queries';
import type { Publication, Snapshot } from '../../api/repositories';
import { Empty } from '../../parts/answers';
import { Copyable } from '../../parts/dialog';
import { LongList } from '../../parts/long-list';
import { Ago } from '../../parts/when';
import { useTexts } from '../../texts';
import { DoingDialog } from './doing';
import { changed } from './parts';
import { PublishDialog } from './publish';
import { SnapshotDiff } from './snapshot-diff';

const route = getRouteApi('/repositories');

export function SnapshotsPart({ snapshots }: { snapshots: Snapshot[] }) {
  const t = useTexts();
  const { left, right } = route.useSearch();
  const navigate = route.useNavigate();
  const publications = useQuery(repositoriesQuery()).data?.publications;
  const shownBy = useMemo(() => distributionsOf(publications ?? []), [publications]);
  if (snapshots.length === 0) {
    return (
      <Empty>
        <p>{t.snapshots.empty}</p>
        <Copyable label={t.repositories.emptyCommand} text="aptly snapshot create my-snapshot from repo my-repo" />
      </Empty>
    );
  }
  const compare = (side: 'left' | 'right', name: string) => void navigate({ search: (before) => changed(before, side, name), replace: true });
  const choice = (side: 'left' | 'right', label: string, chosen: string | undefined) => (
    <label className="row small soft">
      {label}
      <select className="field" aria-label={label} value={chosen ?? ''} onChange={(event) => compare(side, event.target.value)}>
        <option value="" />
        {snapshots.map((one) => (
          <option key={one.name}>{one.name}</option>
        ))}
      </select>
    </label>
  );
  return (
    <>
      <div className="row compare">
        {choice('left', t.snapshots.from, left)}
        {choice('right', t.snapshots.to, right)}
      </div>
      {left !== undefined && right !== undefined && <SnapshotDiff left={left} right={right} />}
      <table className="rows">
        <thead>
          <tr>
            <th>{t.common.name}</th>
            <th>{t.repositories.packages}</th>
            <th className="wide-only">{t.snapshots.made}</th>
            <th>{t.operations.when}</th>
            <th aria-label={t.snapshots.drop} />
          </tr>
        </thead>
        <LongList as="tbody" items={snapshots} keyOf={(one) => one.name} guess={45}>
          {(one) => <Row snapshot={one} shownBy={shownBy.get(one.name) ?? NOWHERE} />}
        </LongList>
      </table>
    </>
  );
}

const NOWHERE: string[] = [];

/** Which distributions show each snapshot. */
function distributionsOf(publications: Publication[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const one of publications) {
    if (!one.ofSnapshots) continue;
    for (const source of one.sources) found.set(source, [...(found.get(source) ?? []), one.distribution]);
  }
  return found;
}

const Row = memo(function Row({ snapshot, shownBy }: { snapshot: Snapshot; shownBy: string[] }) {
  const t = useTexts();
  const [asked, setAsked] = useState<'publish' | 'drop'>();
  const close = () => setAsked(undefined);
  return (
    <tr data-snapshot={snapshot.name}>
      <td>
        <span className="strong">
          <bdi>{snapshot.name}</bdi>
        </span>
        {shownBy.length > 0 && (
          <span className="soft small">
            {' '}
            · {t.snapshots.shownBy} <bdi>{shownBy.join(', ')}</bdi>
          </span>
        )}
      </td>
      <td>{snapshot.count.toLocaleString()}</td>
      <td className="soft small wide-only">
        <bdi>{snapshot.description}</bdi>
      </td>
      <td className="soft">
        <Ago at={snapshot.created} />
      </td>
      <td className="number">
        <button type="button" className="button" onClick={() => setAsked('publish')} aria-label={t.publications.publishOf(snapshot.name)}>
          {t.publications.publish}
        </button>{' '}
        <button type="button" className="button danger" onClick={() => setAsked('drop')} aria-label={t.snapshots.dropOf(snapshot.name)}>
          {t.snapshots.drop}
        </button>
        {asked === 'publish' && <PublishDialog kind="snapshot" source={snapshot.name} distribution="" component="" onClose={close} />}
        {asked === 'drop' && (
          <DoingDialog title={t.snapshots.dropOf(snapshot.name)} word={t.snapshots.drop} danger doing={dropSnapshot(snapshot.name)} onClose={close}>
            <p>{t.snapshots.dropSays(snapshot.count)}</p>
          </DoingDialog>
        )}
      </td>
    </tr>
  );
});
