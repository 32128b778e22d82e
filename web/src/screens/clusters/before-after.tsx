// The groups of a cluster before and after an action: how many instances each has, and its share of the traffic.

import { useTexts } from '../../texts';
import type { Row } from './effects';

export function BeforeAfter({ rows }: { rows: Row[] }) {
  const t = useTexts();
  return (
    <table className="rows before-after" aria-label={t.acting.table}>
      <thead>
        <tr>
          <th>{t.clusters.group}</th>
          <th className="number">{t.acting.capacity}</th>
          <th>{t.acting.traffic}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.name} className={row.changes ? undefined : 'soft'}>
            <td className={row.changes ? 'strong' : undefined}>
              <bdi>{row.name}</bdi>
            </td>
            <td className="number">
              <Pair from={String(row.before.desired)} to={row.after === undefined ? t.acting.gone : String(row.after.desired)} />
            </td>
            <td>
              <span className="before-after-traffic">
                <Bar share={row.before.share} />
                <Bar share={row.after?.share ?? 0} />
              </span>
              <Pair from={`${row.before.share}%`} to={row.after === undefined ? t.acting.gone : `${row.after.share}%`} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Bar({ share }: { share: number }) {
  return (
    <span className="bar" aria-hidden="true">
      <span className="bar-fill" style={{ width: `${share}%` }} />
    </span>
  );
}

function Pair({ from, to }: { from: string; to: string }) {
  const t = useTexts();
  if (from === to) return <span>{to}</span>;
  return (
    <span>
      <span className="hidden-words">{t.acting.before} </span>
      <span className="soft">{from}</span>
      <span aria-hidden="true"> → </span>
      <span className="hidden-words"> {t.acting.after} </span>
      <span className="strong">{to}</span>
    </span>
  );
}
