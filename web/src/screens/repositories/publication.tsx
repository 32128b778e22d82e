// One publication: what it shows, the line that an apt client needs, what it showed before with the way back, and what can be done with it.

import { useState } from 'react';
import { dropPublication, rollBack, switchTo } from '../../api/publish';
import { placeOf, type Generation, type Publication, type Snapshot } from '../../api/repositories';
import { Copyable } from '../../parts/dialog';
import { Ago } from '../../parts/when';
import { useTexts } from '../../texts';
import { DoingDialog } from './doing';
import { Changes } from './operations';
import { UpdateDialog } from './update';

export function PublicationPart({ publication, snapshots }: { publication: Publication; snapshots?: Snapshot[] }) {
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
      {snapshots !== undefined && <Generations publication={publication} />}
      <p className="row">
        {publication.ofSnapshots && snapshots !== undefined && (
          <button type="button" className="button" onClick={() => setAsked('switch')}>
            {t.publications.switch}
          </button>
        )}
        {snapshots !== undefined && (
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
      {asked === 'switch' && <SwitchDialog publication={publication} snapshots={snapshots ?? []} onClose={close} />}
      {asked === 'drop' && (
        <DoingDialog title={t.publications.dropOf(placeOf(publication))} word={t.publications.drop} danger doing={dropPublication(publication)} onClose={close}>
          <p>{t.publications.dropSays(publication.generations[0]?.packages ?? 0)}</p>
        </DoingDialog>
      )}
    </div>
  );
}

function Generations({ publication }: { publication: Publication }) {
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
          {publication.generations.map((one) => (
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

function SwitchDialog({ publication, snapshots, onClose }: { publication: Publication; snapshots: Snapshot[]; onClose: () => void }) {
  const t = useTexts();
  const [component, setComponent] = useState(publication.components[0] ?? 'main');
  const [snapshot, setSnapshot] = useState('');
  return (
    <DoingDialog title={t.publications.switchOf(placeOf(publication))} word={t.publications.switch} doing={switchTo(publication, component, snapshot || 'SNAPSHOT')} ready={snapshot !== ''} onClose={onClose}>
      {publication.components.length > 1 && (
        <label className="parameter">
          <span className="small soft">{t.repositories.component}</span>
          <select className="field" value={component} onChange={(event) => setComponent(event.target.value)}>
            {publication.components.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
      )}
      <label className="parameter">
        <span className="small soft">{t.publications.snapshot}</span>
        <select className="field" value={snapshot} onChange={(event) => setSnapshot(event.target.value)}>
          <option value="" />
          {snapshots.map((one) => (
            <option key={one.name} value={one.name}>
              {`${one.name} · ${t.repositories.packageCount(one.count)}`}
            </option>
          ))}
        </select>
      </label>
      <p>{t.publications.switchSays}</p>
    </DoingDialog>
  );
}
