// Which published version a pipeline is started with: the newest first, with when it was published and who brought it.

import { useState } from 'react';
import type { Offered, Versions } from '../../api/versions';
import { matches } from '../../parts/match';
import { Ago } from '../../parts/when';
import { useTexts } from '../../texts';

/** More than these are searched. */
const FEW = 8;

export function VersionChoice({ told: { versions, cut }, chosen, onChoose }: { told: Versions; chosen: string | undefined; onChoose: (key: string | undefined) => void }) {
  const t = useTexts();
  const [typed, setTyped] = useState('');
  const found = versions.filter((one) => one.key === chosen || matches(`${one.package} ${one.version} ${one.publication} ${one.uploadedBy ?? ''}`, typed));
  return (
    <fieldset className="versions">
      <legend className="strong">{t.versions.title}</legend>
      {versions.length > FEW && <input className="field" type="search" value={typed} aria-label={t.versions.filter} placeholder={t.versions.filter} spellCheck={false} onChange={(event) => setTyped(event.target.value)} />}
      <div className="versions-list">
        {found.map((one) => (
          <VersionRow key={one.key} version={one} chosen={one.key === chosen} onChoose={() => onChoose(one.key)} />
        ))}
        <label className="version-row">
          <input type="radio" name="version" checked={chosen === undefined} onChange={() => onChoose(undefined)} />
          <span className="soft">{versions.length === 0 ? t.versions.none : t.versions.without}</span>
        </label>
      </div>
      {cut && <p className="small faint">{t.versions.cut}</p>}
    </fieldset>
  );
}

function VersionRow({ version, chosen, onChoose }: { version: Offered; chosen: boolean; onChoose: () => void }) {
  const t = useTexts();
  return (
    <label className="version-row" data-version={`${version.package} ${version.version}`}>
      <input type="radio" name="version" checked={chosen} onChange={onChoose} />
      <span>
        <bdi className="strong">
          {version.package} {version.version}
        </bdi>{' '}
        <span className="soft small">
          {version.architecture} · <bdi>{version.publication}</bdi>
        </span>
        {version.heldBack !== undefined && (
          <span className="version-held small tone-despite">
            {t.versions.heldBack} <bdi>{version.heldBack}</bdi>
          </span>
        )}
      </span>
      <span className="version-when soft small">
        {version.published === undefined ? t.versions.longAgo : <Ago at={version.published} />}
        {version.uploadedBy !== undefined && (
          <>
            {' '}
            · <bdi>{t.versions.brought(version.uploadedBy)}</bdi>
          </>
        )}
      </span>
    </label>
  );
}
