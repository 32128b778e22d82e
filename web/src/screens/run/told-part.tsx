// Whom the run told what: a row for each with what became of it, and with the reason where somebody was not told. Not there for a run that tells nobody.

import { useQuery } from '@tanstack/react-query';
import type { Execution } from '../../api/execution';
import { toldQuery, type Told } from '../../api/notifications';
import { Mark } from '../../parts/mark';
import { Ago, Until } from '../../parts/when';
import { useTexts } from '../../texts';
import { stateOf, whatOf } from './told';

export function ToldPart({ run }: { run: Execution }) {
  const t = useTexts();
  const all = useQuery(toldQuery(run.id)).data ?? [];
  if (all.length === 0) return null;
  return (
    <section className="section" aria-labelledby="run-told">
      <h2 id="run-told">{t.notify.title}</h2>
      <table className="rows told">
        <thead>
          <tr>
            <th>{t.notify.told.by}</th>
            <th>{t.notify.told.to}</th>
            <th>{t.notify.told.what}</th>
            <th>{t.common.status}</th>
          </tr>
        </thead>
        <tbody>
          {all.map((one) => (
            <ToldRow key={one.id} told={one} run={run} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function ToldRow({ told, run }: { told: Told; run: Execution }) {
  const t = useTexts();
  const said = stateOf(told, t);
  return (
    <tr data-told={told.kind} data-state={said.tone}>
      <td className="told-kind">{told.kind}</td>
      <td className="told-text">
        <bdi>{told.address}</bdi>
      </td>
      <td className="soft">
        <bdi>{whatOf(told, run, t)}</bdi>
      </td>
      <td className="told-text">
        <Mark said={said} />{' '}
        <span className="soft small">
          {told.error === undefined ? <Ago at={told.at} /> : t.notify.told.tried(told.attempts)}
          {told.error !== undefined && told.due !== undefined && (
            <>
              , <Until at={told.due} say={t.notify.told.next} />
            </>
          )}
        </span>
        {told.error !== undefined && (
          <p className="small soft">
            <bdi>{told.error}</bdi>
          </p>
        )}
      </td>
    </tr>
  );
}
