// One publication: what it shows, the line that an apt client needs, what it showed before with the way back, and what can be done with it.

import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { dropPublication, rollBack, switchTo } from '../../api/publish';
import { snapshotsQuery } from '../../api/queries';
import { placeOf, type Generation, type Publication } from '../../api/repositories';
import { Copyable } from '../../parts/dialog';
import { Choice } from '../../parts/form';
import { Ago } from '../../parts/when';
import { useTexts } from '../../texts';
import { DoingDialog } from './doing';
import { Changes } from './operations';
import { UpdateDialog } from './update';

/** With its generations there is the way back, and what is seldom wanted. */
export function PublicationPart({ publication, generations }: { publication: Publication; generations?: Generation[] }) {
  const t = useTexts();
  const [asked, setAsked] = useState<'update' | 'switch' | 'drop'>();
  const close = () => setAsked(undefined);
  return (
    <div className="publication" data-publication={placeOf(publication)}>
      <p className="small">
        {t.repositories.published}:{' '}
        <span className="strong">
          <bdi>{placeOf(publication)}</bdi>
        </span>
        <span className="soft">
          {' '}
          · {publication.components.join(', ')} · {publication.architectures.join(', ')} · {publication.signed ? t.repositories.signed : t.repositories.unsigned}
        </span>
      </p>
      <Copyable text={publication.line} label={t.repositories.sourceLine} />
      <p className="faint small">{t.repositories.serveHint}</p>
      {generations !== undefined && <Generations publication={publication} generations={generations} />}
      <p className="row">
        {publication.ofSnapshots && generations !== undefined && (
          <button type="button" className="button" onClick={() => setAsked('switch')}>
            {t.publications.switch}
          </button>
        )}
        {generations !== undefined && (
          <button type="button" className="button danger" onClick={() => setAsked('drop')}>
            {t.publications.drop}
          </button>
        )}
        {!publication.ofSnapshots && (
          <button type="button" className="button" onClick={() => setAsked('update')}>
            {t.publish.update}
          </button>
        )}
      </p>
      {asked === 'update' && <UpdateDialog publication={publication} onClose={close} />}
      {asked === 'switch' && <SwitchDialog publication={publication} onClose={close} />}
      {asked === 'drop' && (
        <DoingDialog title={t.publications.dropOf(placeOf(publication))} word={t.publications.drop} danger doing={dropPublication(publication)} onClose={close}>
          <p>{t.publications.dropSays(generations?.[0]?.packages ?? 0)}</p>
        </DoingDialog>
      )}
    </div>
  );
}

function Generations({ publication, generations }: { publication: Publication; generations: Generation[] }) {
  const t = useTexts();
  const [back, setBack] = useState<Generation>();
  return (
    <>
      <table className="rows generations">
        <thead>
          <tr>
            <th>{t.publications.generation}</th>
            <th>{t.operations.when}</th>
            <th>{t.repositories.packages}</th>
            <th>{t.publications.change}</th>
            <th aria-label={t.publications.rollBack} />
          </tr>
        </thead>
        <tbody>
          {generations.map((one) => (
            <tr key={one.number} data-generation={one.number}>
              <td>{one.number}</td>
              <td className="soft">
                <Ago at={one.at} />
              </td>
              <td>{one.packages.toLocaleString()}</td>
              <td className="soft small">
                <Changes sign="+" names={one.added} count={one.addedCount} most={3} />
                <Changes sign="−" names={one.removed} count={one.removedCount} most={3} />
              </td>
              <td>
                {one.shown ? (
                  <span className="faint small">{t.publications.shown}</span>
                ) : (
                  <button type="button" className="button" onClick={() => setBack(one)} aria-label={t.publications.backTo(one.number)}>
                    {t.publications.rollBack}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {back !== undefined && (
        <DoingDialog title={t.publications.backTo(back.number)} word={t.publications.rollBack} doing={rollBack(publication, back.number)} onClose={() => setBack(undefined)}>
          <p>{t.publications.backSays(placeOf(publication), back.packages)}</p>
          <p className="soft">{publication.signed ? t.publish.signed : t.publish.unsigned}</p>
        </DoingDialog>
      )}
    </>
  );
}

function SwitchDialog({ publication, onClose }: { publication: Publication; onClose: () => void }) {
  const t = useTexts();
  const snapshots = useQuery(snapshotsQuery()).data ?? [];
  const [component, setComponent] = useState(publication.components[0] ?? 'main');
  const [snapshot, setSnapshot] = useState('');
  return (
    <DoingDialog title={t.publications.switchOf(placeOf(publication))} word={t.publications.switch} doing={switchTo(publication, component, snapshot || 'SNAPSHOT')} ready={snapshot !== ''} onClose={onClose}>
      {publication.components.length > 1 && <Choice label={t.repositories.component} value={component} options={publication.components.map((one) => ({ value: one, word: one }))} onChange={setComponent} />}
      <Choice
        label={t.publications.snapshot}
        value={snapshot}
        options={[{ value: '', word: '' }, ...snapshots.map((one) => ({ value: one.name, word: `${one.name} · ${t.repositories.packageCount(one.count)}` }))]}
        onChange={setSnapshot}
      />
      <p>{t.publications.switchSays}</p>
    </DoingDialog>
  );
}
