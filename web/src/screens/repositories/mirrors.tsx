// Mirrors: where each comes from, how old it is, and what can be done with it.

import { useState } from 'react';
import type { Mirror } from '../../api/repositories';
import { Empty } from '../../parts/answers';
import { Copyable } from '../../parts/dialog';
import { Mark } from '../../parts/mark';
import { Ago } from '../../parts/when';
import { useTexts } from '../../texts';
import { SnapshotDialog } from './local';
import { CreateMirrorDialog, DropMirrorDialog, EditMirrorDialog } from './mirror-dialogs';
import { UpdateMirrorDialog } from './mirror-update';

export function MirrorsPart({ mirrors }: { mirrors: Mirror[] }) {
  const t = useTexts();
  const [making, setMaking] = useState(false);
  return (
    <>
      <p className="part-head">
        <button type="button" className="button" onClick={() => setMaking(true)}>
          {t.mirrors.create}
        </button>
      </p>
      {mirrors.length === 0 && (
        <Empty>
          <p>{t.mirrors.empty}</p>
          <Copyable label={t.repositories.emptyCommand} text="aptly mirror create bookworm-security http://security.debian.org/debian-security bookworm-security main" />
        </Empty>
      )}
      {mirrors.map((one) => (
        <MirrorPart key={one.name} mirror={one} />
      ))}
      {making && <CreateMirrorDialog taken={mirrors.map((one) => one.name)} onClose={() => setMaking(false)} />}
    </>
  );
}

function MirrorPart({ mirror }: { mirror: Mirror }) {
  const t = useTexts();
  const [asked, setAsked] = useState<'update' | 'edit' | 'snapshot' | 'drop'>();
  const close = () => setAsked(undefined);
  return (
    <section className="repository" data-mirror={mirror.name}>
      <h2>
        <bdi>{mirror.name}</bdi>
        <span className="faint small">{t.repositories.packageCount(mirror.count)}</span>
        {mirror.updating && <Mark said={{ tone: 'going', word: t.mirrors.updating }} />}
        <span className="grow" />
        <button type="button" className="button" disabled={mirror.updated === undefined} title={mirror.updated === undefined ? t.mirrors.neverHint : undefined} onClick={() => setAsked('snapshot')}>
          {t.snapshots.take}
        </button>
        <button type="button" className="button" onClick={() => setAsked('update')}>
          {t.mirrors.update}
        </button>
        <button type="button" className="button" onClick={() => setAsked('edit')}>
          {t.mirrors.edit}
        </button>
        <button type="button" className="button danger" onClick={() => setAsked('drop')}>
          {t.mirrors.drop}
        </button>
      </h2>
      <dl className="facts">
        <dt>{t.mirrors.archive}</dt>
        <dd>
          <code>{mirror.archive}</code>
        </dd>
        <dt>{t.repositories.distribution}</dt>
        <dd>
          <bdi>{mirror.distribution}</bdi>
          <span className="soft"> · {[mirror.components.join(', '), mirror.architectures.join(', ')].filter((one) => one !== '').join(' · ')}</span>
        </dd>
        {mirror.filter !== undefined && (
          <>
            <dt>{t.mirrors.filter}</dt>
            <dd>
              <code>{mirror.filter}</code>
            </dd>
          </>
        )}
        <dt>{t.mirrors.updated}</dt>
        <dd>{mirror.updated === undefined ? t.mirrors.never : <Ago at={mirror.updated} />}</dd>
      </dl>
      {asked === 'snapshot' && <SnapshotDialog of="mirror" source={mirror.name} onClose={close} />}
      {asked === 'update' && <UpdateMirrorDialog mirror={mirror} onClose={close} />}
      {asked === 'edit' && <EditMirrorDialog mirror={mirror} onClose={close} />}
      {asked === 'drop' && <DropMirrorDialog mirror={mirror} onClose={close} />}
    </section>
  );
}
