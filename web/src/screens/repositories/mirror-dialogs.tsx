// A mirror is made, changed and dropped: what will be and what will be lost stands there first.

import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { archiveOf, asksArchive, createMirror, dropMirror, editMirror, isFlat, mirrorQuery, NOTHING, type Wanted } from '../../api/mirrors';
import { snapshotsQuery } from '../../api/queries';
import type { Mirror } from '../../api/repositories';
import { Answered } from '../../parts/answers';
import { Dialog, DialogFoot } from '../../parts/dialog';
import { TextField, Tick } from '../../parts/form';
import { useTexts } from '../../texts';
import { DoingDialog } from './doing';
import { ArchiveField, TRUSTED, TrustFields, trustOf, typedOf, WantedFields, wantedOf } from './mirror-fields';
import { wordsOf } from './parts';

export function CreateMirrorDialog({ taken, onClose }: { taken: string[]; onClose: () => void }) {
  const t = useTexts();
  const [name, setName] = useState('');
  const [distribution, setDistribution] = useState('');
  const [components, setComponents] = useState('');
  const [typed, setTyped] = useState(typedOf(NOTHING));
  const [trust, setTrust] = useState(TRUSTED);
  const set = (change: Partial<typeof typed>) => setTyped({ ...typed, ...change });
  const flat = isFlat(distribution);
  const wanted = wantedOf(typed);
  const used = taken.includes(name);
  const ready = name !== '' && !used && distribution !== '' && wanted !== undefined;
  const asked = { ...(wanted ?? { ...NOTHING, archive: archiveOf(typed.archive) ?? 'ARCHIVE' }), name: name || 'NAME', distribution: distribution || 'DISTRIBUTION', components: flat ? [] : wordsOf(components) };
  return (
    <DoingDialog title={t.mirrors.create} word={t.packages.create} kept doing={createMirror(asked, trustOf(trust))} ready={ready} onClose={onClose}>
      <div className="form">
        <div className="form-part">
          <TextField label={t.common.name} value={name} required error={used ? t.mirrors.taken(name) : undefined} onChange={setName} />
          <TextField label={t.repositories.distribution} value={distribution} required placeholder="bookworm" help={t.mirrors.distributionHint} onChange={setDistribution} />
          <ArchiveField typed={typed} set={set} />
        </div>
        <WantedFields typed={typed} set={set} distribution={distribution}>
          {!flat && <TextField label={t.mirrors.components} value={components} placeholder="main, contrib" help={t.mirrors.componentsHint} onChange={setComponents} wide />}
        </WantedFields>
        <TrustFields trust={trust} onChange={setTrust} />
        <p className="soft">{t.mirrors.createSays}</p>
      </div>
    </DoingDialog>
  );
}

/** What is mirrored is asked first: the list does not tell all of it. */
export function EditMirrorDialog({ mirror, onClose }: { mirror: Mirror; onClose: () => void }) {
  const t = useTexts();
  const query = useQuery(mirrorQuery(mirror.name));
  if (query.data !== undefined) return <EditForm mirror={mirror} before={query.data} onClose={onClose} />;
  return (
    <Dialog title={t.mirrors.editOf(mirror.name)} onClose={onClose} foot={<DialogFoot error={null} onClose={onClose}>{null}</DialogFoot>}>
      <Answered query={query}>{() => null}</Answered>
    </Dialog>
  );
}

function EditForm({ mirror, before: found, onClose }: { mirror: Mirror; before: Wanted; onClose: () => void }) {
  const t = useTexts();
  // What it was when the form was opened: what somebody else changes meanwhile is not taken back.
  const [before] = useState(found);
  const [typed, setTyped] = useState(typedOf(before));
  const [trust, setTrust] = useState(TRUSTED);
  const set = (change: Partial<typeof typed>) => setTyped({ ...typed, ...change });
  const meant = wantedOf(typed);
  // The server takes no architectures at all for those that there are.
  const wanted = meant !== undefined && meant.architectures.length === 0 ? { ...meant, architectures: before.architectures } : meant;
  const doing = wanted === undefined ? undefined : editMirror(mirror.name, before, wanted, trustOf(trust));
  const nothing = { call: { method: 'POST' as const, path: `/api/mirrors/${encodeURIComponent(mirror.name)}`, body: {} }, command: `aptly mirror edit ${mirror.name}` };
  return (
    <DoingDialog title={t.mirrors.editOf(mirror.name)} word={t.config.save} kept doing={doing ?? nothing} ready={doing !== undefined} onClose={onClose}>
      <div className="form">
        <div className="form-part">
          <ArchiveField typed={typed} set={set} />
        </div>
        <WantedFields typed={typed} set={set} distribution={mirror.distribution} />
        {wanted !== undefined && asksArchive(before, wanted) && <TrustFields trust={trust} onChange={setTrust} />}
        <p className="soft">{doing === undefined ? t.config.nothing : t.mirrors.editSays}</p>
      </div>
    </DoingDialog>
  );
}

export function DropMirrorDialog({ mirror, onClose }: { mirror: Mirror; onClose: () => void }) {
  const t = useTexts();
  const snapshots = useQuery(snapshotsQuery());
  const [force, setForce] = useState(false);
  const made = (snapshots.data ?? []).filter((one) => one.kind === 'repo' && one.sources.includes(mirror.name));
  return (
    <DoingDialog title={t.mirrors.dropOf(mirror.name)} word={t.mirrors.drop} danger doing={dropMirror(mirror.name, force)} ready={snapshots.data !== undefined && (made.length === 0 || force)} onClose={onClose}>
      <p>{t.mirrors.dropSays(mirror.count)}</p>
      {made.length > 0 && (
        <>
          <p>{t.mirrors.madeOf(made.length)}</p>
          <ul className="inner-list">
            {made.map((one) => (
              <li key={one.name}>
                <bdi className="strong">{one.name}</bdi> <span className="soft">{t.repositories.packageCount(one.count)}</span>
              </li>
            ))}
          </ul>
          <Tick label={t.mirrors.force} checked={force} onChange={setForce} />
        </>
      )}
    </DoingDialog>
  );
}
