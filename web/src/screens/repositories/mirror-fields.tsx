// What of an archive is mirrored, and how its signature is checked: the same fields where a mirror is made and where it is changed.

import type { ReactNode } from 'react';
import { archiveOf, isFlat, SWITCHES, type Trust, type Wanted } from '../../api/mirrors';
import { Part, TextField, Tick } from '../../parts/form';
import { useTexts } from '../../texts';
import { wordsOf } from './parts';

/** What is typed; lists are texts until they are sent. */
export interface Typed extends Omit<Wanted, 'architectures'> {
  architectures: string;
}

export const typedOf = (wanted: Wanted): Typed => ({ ...wanted, architectures: wanted.architectures.join(', ') });

/** What is meant by what is typed; nothing where the archive is no address. */
export function wantedOf(typed: Typed): Wanted | undefined {
  const archive = archiveOf(typed.archive);
  return archive === undefined ? undefined : { ...typed, archive, architectures: wordsOf(typed.architectures), filter: typed.filter.trim() };
}

interface Props {
  typed: Typed;
  set: (change: Partial<Typed>) => void;
}

export function ArchiveField({ typed, set }: Props) {
  const t = useTexts();
  const archive = archiveOf(typed.archive);
  const help = archive !== undefined && archive !== typed.archive.trim() ? t.mirrors.means(archive) : t.mirrors.archiveHint;
  return <TextField label={t.mirrors.archive} value={typed.archive} placeholder="http://deb.debian.org/debian" help={help} error={typed.archive.trim() === '' || archive !== undefined ? undefined : t.mirrors.noArchive} required wide onChange={(archive) => set({ archive })} />;
}

/** `distribution`: a flat archive has no installer's packages. */
export function WantedFields({ typed, set, distribution, children }: Props & { distribution: string; children?: ReactNode }) {
  const t = useTexts();
  const offered = isFlat(distribution) ? (['sources'] as const) : SWITCHES;
  return (
    <>
      <Part title={t.mirrors.what}>
        {children}
        <TextField label={t.publications.architectures} value={typed.architectures} placeholder="amd64, arm64" help={t.mirrors.architecturesHint} onChange={(architectures) => set({ architectures })} />
        <TextField label={t.mirrors.filter} value={typed.filter} placeholder="nginx | $Version (>= 2)" help={t.mirrors.filterHint} onChange={(filter) => set({ filter })} />
        <Tick label={t.mirrors.withDeps} checked={typed.withDeps} onChange={(withDeps) => set({ withDeps })} wide />
      </Part>
      <Part title={t.mirrors.also}>
        {offered.map((one) => (
          <Tick key={one} label={t.mirrors.switches[one]} checked={typed[one]} onChange={(on) => set({ [one]: on })} />
        ))}
      </Part>
    </>
  );
}

export function TrustFields({ trust, onChange }: { trust: Trust; onChange: (trust: Trust) => void }) {
  const t = useTexts();
  return (
    <Part title={t.mirrors.trust}>
      {!trust.unchecked && <TextField label={t.mirrors.keyrings} value={trust.keyrings.join(' ')} placeholder="trustedkeys.gpg" help={t.mirrors.keyringsHint} wide onChange={(keyrings) => onChange({ ...trust, keyrings: keyrings.split(' ') })} />}
      <Tick label={t.mirrors.unchecked} help={t.mirrors.uncheckedHint} checked={trust.unchecked} wide onChange={(unchecked) => onChange({ ...trust, unchecked })} />
    </Part>
  );
}

export const TRUSTED: Trust = { unchecked: false, keyrings: [] };

/** The keyrings that are named, without what is between them while somebody types. */
export const trustOf = (trust: Trust): Trust => ({ ...trust, keyrings: wordsOf(trust.keyrings.join(' ')) });
