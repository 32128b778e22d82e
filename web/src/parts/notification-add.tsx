// Chooses the kind of a new notification, of those that the server sends and those that Spinnaker's documents name.

import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { notificationKindsQuery } from '../api/editor';
import { useTexts } from '../texts';
import { KINDS, kindWord } from './notifications';

export function AddNotification({ onAdd }: { onAdd: (kind: string) => void }) {
  const t = useTexts();
  const { data: sent } = useQuery(notificationKindsQuery());
  const offered = [...new Set([...(sent ?? []), ...KINDS])];
  const [type, setType] = useState<string>();
  const chosen = type ?? offered[0] ?? 'email';
  return (
    <div className="row wrap">
      <select className="field" value={chosen} aria-label={t.editor.type} onChange={(event) => setType(event.target.value)}>
        {offered.map((one) => (
          <option key={one} value={one}>
            {kindWord(one, t)}
          </option>
        ))}
      </select>
      <button type="button" className="button" onClick={() => onAdd(chosen)} data-add-notification>
        + {t.notify.add}
      </button>
    </div>
  );
}

/** Said of a kind that this server, which sends others, does not send. */
export function NotSent({ kind }: { kind: string }) {
  const t = useTexts();
  const { data: sent } = useQuery(notificationKindsQuery());
  if (sent === undefined || sent.length === 0 || sent.includes(kind)) return null;
  return <p className="small tone-despite">{t.notify.notSent(kind)}</p>;
}
