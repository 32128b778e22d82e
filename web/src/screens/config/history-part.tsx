// What the application was before: every saved state with who and when; an open one with what it changed, and the way back to it.

import { useQuery } from '@tanstack/react-query';
import { Fragment, useState } from 'react';
import { historyQuery, restore, restoreSaid, type State } from '../../api/application';
import type { JsonMap } from '../../api/read';
import { Answered } from '../../parts/answers';
import { Confirm } from '../../parts/confirm';
import { Draw } from '../../parts/icons';
import { Ago } from '../../parts/when';
import { wordOf } from '../../parts/word';
import { useTexts } from '../../texts';
import { changedBy, restoring } from './attributes';
import { Changes } from './changes';
import { useRenewal } from './renew';

interface Props {
  application: string;
  /** The attributes of now; none of an application that was deleted. */
  now: JsonMap | undefined;
  revision: string | undefined;
  onOpen: (revision: string | undefined) => void;
}

export function HistoryPart({ application, now, revision, onOpen }: Props) {
  const t = useTexts();
  const states = useQuery(historyQuery(application));
  const [chosen, setChosen] = useState<State>();
  return (
    <section className="section" aria-labelledby="config-history">
      <div className="config-head">
        <h2 id="config-history">{t.config.history.title}</h2>
        {states.data !== undefined && <span className="faint small">{t.config.history.states(states.data.length)}</span>}
      </div>
      <Answered query={states}>
        {(all) => (
          <>
            {now === undefined && all.some((one) => one.deleted) && <p className="small config-says">{t.config.wasDeleted}</p>}
            <table className="rows config-table">
              <thead>
                <tr>
                  <th>{t.config.history.number}</th>
                  <th>{t.config.history.when}</th>
                  <th>{t.config.history.who}</th>
                  <th>{t.config.history.what}</th>
                  <th aria-label={t.config.history.restore} />
                </tr>
              </thead>
              <tbody>
                {all.map((one, at) => (
                  <StateRows key={one.number} states={all} at={at} now={now} open={revision === String(one.number)} onOpen={onOpen} onRestore={() => setChosen(one)} />
                ))}
              </tbody>
            </table>
          </>
        )}
      </Answered>
      {chosen !== undefined && <RestoreDialog application={application} state={chosen} now={now} onClose={() => setChosen(undefined)} />}
    </section>
  );
}

function StateRows({ states, at, now, open, onOpen, onRestore }: { states: State[]; at: number; now: JsonMap | undefined; open: boolean; onOpen: Props['onOpen']; onRestore: () => void }) {
  const t = useTexts();
  const one = states[at];
  if (one === undefined) return null;
  const changed = changedBy(states, at);
  const current = at === 0 && now !== undefined;
  const said = one.deleted ? t.config.history.deleted : changed === undefined ? t.config.history.first : changed.length === 0 ? t.config.history.same : changed.map(({ key }) => wordOf(t.config.names, key) ?? key).join(', ');
  return (
    <Fragment>
      <tr data-state={one.number}>
        <td>
          <button type="button" className="state-open" aria-expanded={open} aria-label={open ? t.config.history.close(one.number) : t.config.history.open(one.number)} onClick={() => onOpen(open ? undefined : String(one.number))}>
            <span className={open ? 'twist open' : 'twist'}>
              <Draw what="right" />
            </span>
            {one.number}
          </button>
        </td>
        <td className="soft">
          <Ago at={one.at} />
        </td>
        <td>
          <bdi>{one.who}</bdi>
        </td>
        <td className={one.deleted ? 'tone-bad' : changed === undefined || changed.length === 0 ? 'faint' : undefined}>
          <bdi>{said}</bdi>
        </td>
        <td className="number">
          {current ? (
            <span className="faint small">{t.config.history.now}</span>
          ) : (
            !one.deleted && (
              <button type="button" className="button" aria-label={t.config.history.restoring(one.number)} onClick={onRestore}>
                {t.config.history.restore}
              </button>
            )
          )}
        </td>
      </tr>
      {open && (
        <tr className="state-body">
          <td colSpan={5}>
            <Changes says={t.config.history.changedHere} none={said} changes={changed ?? restoring(undefined, one)} />
            {!current && !one.deleted && now !== undefined && <Changes says={t.config.history.toNow} none={t.config.history.identical} changes={restoring(now, one)} />}
          </td>
        </tr>
      )}
    </Fragment>
  );
}

function RestoreDialog({ application, state, now, onClose }: { application: string; state: State; now: JsonMap | undefined; onClose: () => void }) {
  const t = useTexts();
  const renew = useRenewal(application);
  return (
    <Confirm
      title={t.config.history.restoring(state.number)}
      word={t.config.history.restore}
      name="restore"
      act={() => restore(application, state.number)}
      onDone={() => renew().then(onClose)}
      onClose={onClose}
      said={restoreSaid(location.origin, application, state.number)}
    >
      <p>{now === undefined ? t.config.history.saysDeleted : t.config.history.says}</p>
      <Changes says={t.config.history.toNow} none={t.config.history.identical} changes={restoring(now, state)} />
    </Confirm>
  );
}
