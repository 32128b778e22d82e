// How two snapshots differ: what came, what went, what has another version.

import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { snapshotDiffQuery } from '../../api/queries';
import { Answered } from '../../parts/answers';
import { LongList } from '../../parts/long-list';
import { useTexts } from '../../texts';
import { differences } from './differences';

export function SnapshotDiff({ left, right }: { left: string; right: string }) {
  const t = useTexts();
  const rows = useQuery(snapshotDiffQuery(left, right));
  const all = useMemo(() => differences(rows.data ?? []), [rows.data]);
  return (
    <section className="snapshot-diff" aria-label={t.snapshots.diff}>
      <Answered query={rows}>
        {() => {
          if (all.length === 0) return <p className="soft">{t.snapshots.same}</p>;
          return (
            <table className="rows">
              <thead>
                <tr>
                  <th>{t.snapshots.diff}</th>
                  <th>{t.repositories.packages}</th>
                  <th>{t.repositories.architecture}</th>
                  <th>
                    <bdi>{left}</bdi>
                  </th>
                  <th>
                    <bdi>{right}</bdi>
                  </th>
                </tr>
              </thead>
              <LongList as="tbody" items={all} keyOf={(one) => `${one.name} ${one.architecture} ${one.before} ${one.after}`} guess={37}>
                {(one) => (
                  <tr data-diff={one.what}>
                    <td className="small soft">{t.snapshots.what[one.what]}</td>
                    <td className="strong">
                      <bdi>{one.name}</bdi>
                    </td>
                    <td className="soft">{one.architecture}</td>
                    <td>
                      <bdi>{one.before ?? '–'}</bdi>
                    </td>
                    <td>
                      <bdi>{one.after ?? '–'}</bdi>
                    </td>
                  </tr>
                )}
              </LongList>
            </table>
          );
        }}
      </Answered>
    </section>
  );
}
