// Traffic guards: what each guards now, a new one, and one less.

import { useQuery } from '@tanstack/react-query';
import { readGuards, type Guard } from '../../api/application';
import { serverGroupsQuery } from '../../api/queries';
import type { JsonMap } from '../../api/read';
import { useTexts } from '../../texts';
import { AddGuardDialog, RemoveGuardDialog } from './guard-dialogs';
import { guarded, keyOf } from '../../parts/guards';

interface Props {
  application: string;
  attributes: JsonMap;
  adding: boolean;
  removing: string | undefined;
  onShow: (next: { edit?: string; guard?: string }) => void;
  onClose: () => void;
}

export function GuardsPart({ application, attributes, adding, removing, onShow, onClose }: Props) {
  const t = useTexts();
  const all = readGuards(attributes);
  // Asked for only where a guard is told of: an application may have many.
  const groups = useQuery({ ...serverGroupsQuery(application), enabled: adding || all.length > 0 }).data ?? [];
  const chosen = all.find((one) => keyOf(one) === removing);
  return (
    <section className="section" aria-labelledby="config-guards">
      <div className="config-head">
        <h2 id="config-guards">{t.config.guards.title}</h2>
        <button type="button" className="button" onClick={() => onShow({ edit: 'guard' })} data-add-guard>
          {t.config.guards.add}
        </button>
      </div>
      <p className="soft small config-says">{t.config.guards.says}</p>
      {all.length === 0 ? (
        <p className="small">{t.config.guards.none}</p>
      ) : (
        <table className="rows config-table">
          <thead>
            <tr>
              <th>{t.config.guards.account}</th>
              <th>{t.config.guards.location}</th>
              <th>{t.config.guards.stack}</th>
              <th>{t.config.guards.detail}</th>
              <th className="wide-only">{t.config.guards.guards}</th>
              <th aria-label={t.config.guards.remove} />
            </tr>
          </thead>
          <tbody>
            {all.map((one) => (
              <GuardRow key={keyOf(one)} guard={one} clusters={guarded(one, groups)} onRemove={() => onShow({ guard: keyOf(one) })} />
            ))}
          </tbody>
        </table>
      )}
      {adding && <AddGuardDialog application={application} known={all} groups={groups} onClose={onClose} />}
      {chosen !== undefined && <RemoveGuardDialog application={application} guard={chosen} groups={groups} onClose={onClose} />}
    </section>
  );
}

function GuardRow({ guard, clusters, onRemove }: { guard: Guard; clusters: string[]; onRemove: () => void }) {
  const t = useTexts();
  const part = (value: string) => (value === '*' ? <span className="soft">{t.config.guards.any}</span> : value === '' ? <span className="faint">–</span> : <bdi>{value}</bdi>);
  return (
    <tr data-guard={keyOf(guard)}>
      <td>{part(guard.account)}</td>
      <td>{part(guard.location)}</td>
      <td>{part(guard.stack)}</td>
      <td>{part(guard.detail)}</td>
      <td className="soft wide-only">{guard.enabled ? clusters.length === 0 ? <span className="faint">{t.common.none}</span> : <bdi>{clusters.join(', ')}</bdi> : t.config.guards.off}</td>
      <td className="number">
        <button type="button" className="button" aria-label={t.config.guards.removeNamed(keyOf(guard))} onClick={onRemove}>
          {t.config.guards.remove}
        </button>
      </td>
    </tr>
  );
}
