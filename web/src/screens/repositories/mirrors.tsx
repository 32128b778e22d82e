// Mirrors: where each comes from, how old it is, and its update.

import { useState } from 'react';
import { dropMirror, updateMirror } from '../../api/aptly';
import type { Mirror } from '../../api/repositories';
import { Empty } from '../../parts/answers';
import { Copyable } from '../../parts/dialog';
import { Mark } from '../../parts/mark';
import { Ago } from '../../parts/when';
import { useTexts } from '../../texts';
import { DoingDialog } from './doing';
import { SnapshotDialog } from './local';

export function MirrorsPart({ mirrors }: { mirrors: Mirror[] }) {
  const t = useTexts();
  if (mirrors.length === 0) {
    return (
      <Empty>
        <p>{t.mirrors.empty}</p>
        <Copyable label={t.repositories.emptyCommand} text="aptly mirror create bookworm-security http://security.debian.org/debian-security bookworm-security main" />
      </Empty>
    );
  }
  return (
    <>
      {mirrors.map((one) => (
        <MirrorPart key={one.name} mirror={one} />
      ))}
    </>
  );
}

function MirrorPart({ mirror }: { mirror: Mirror }) {
  const t = useTexts();
  const [asked, setAsked] = useState<'update' | 'snapshot' | 'drop'>();
  const close = () => setAsked(undefined);
  return (
    <section className="repository" data-mirror={mirror.name}>
      <h2>
        <bdi>{mirror.name}</bdi>
        <span className="faint small">{t.repositories.packageCount(mirror.count)}</span>
        {mirror.updating && <Mark said={{ tone: 'going', word: t.mirrors.updating }} />}
        <span className="grow" />
        <button type="button" className="button" onClick={() => setAsked('snapshot')}>
          {t.snapshots.take}
        </button>
        <button type="button" className="button" onClick={() => setAsked('update')}>
          {t.mirrors.update}
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
      {asked === 'update' && (
        <DoingDialog title={t.mirrors.updateOf(mirror.name)} word={t.mirrors.update} doing={updateMirror(mirror.name)} onClose={close}>
          <p>{t.mirrors.updateSays(mirror.archive)}</p>
        </DoingDialog>
      )}
      {asked === 'drop' && (
        <DoingDialog title={t.mirrors.dropOf(mirror.name)} word={t.mirrors.drop} danger doing={dropMirror(mirror.name)} onClose={close}>
          <p>{t.mirrors.dropSays(mirror.count)}</p>
        </DoingDialog>
      )}
    </section>
  );
}
