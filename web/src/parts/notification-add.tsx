// Chooses the kind of a new notification, of those that the server sends and those that Spinnaker's documents name; says what a kind lacks; sends a trial.

import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { userQuery } from '../api/accounts';
import { notifierKindsQuery, sendTrial } from '../api/notifications';
import { text, type JsonMap } from '../api/read';
import { useTexts } from '../texts';
import { addressOf, kindWord, lackOf, offeredKinds, trialBar } from './notifications';

export function AddNotification({ onAdd }: { onAdd: (kind: string) => void }) {
  const t = useTexts();
  const { sent, others } = offeredKinds(useQuery(notifierKindsQuery()).data ?? []);
  const [type, setType] = useState<string>();
  const chosen = type ?? sent[0] ?? others[0] ?? '';
  const options = (kinds: string[]) =>
    kinds.map((one) => (
      <option key={one} value={one}>
        {kindWord(one, t)}
      </option>
    ));
  return (
    <div className="row wrap">
      <select className="field" value={chosen} aria-label={t.editor.type} onChange={(event) => setType(event.target.value)}>
        {options(sent)}
        <optgroup label={t.notify.others}>{options(others)}</optgroup>
      </select>
      <button type="button" className="button" onClick={() => onAdd(chosen)} data-add-notification>
        + {t.notify.add}
      </button>
    </div>
  );
}

/** Said of a kind that this server does not send: what is missing. */
export function NotSent({ kind }: { kind: string }) {
  const t = useTexts();
  const { data: sent } = useQuery(notifierKindsQuery());
  const lack = sent === undefined ? undefined : lackOf(kind, sent);
  return lack === undefined ? null : <p className="small tone-despite">{t.notify.lacks[lack](kind)}</p>;
}

/** Sends one message to where the notification goes, as it is in the form, and says beside the button what became of it. */
export function Trial({ notification }: { notification: JsonMap }) {
  const t = useTexts();
  const { data: sent } = useQuery(notifierKindsQuery());
  const { data: user } = useQuery(userQuery());
  const trial = useMutation({ mutationFn: sendTrial });
  const bar = trialBar(notification, sent, user?.viewer === true);
  // What is said is of the notification that was tried: not of what was typed since.
  const about = trial.variables !== undefined && place(trial.variables) === place(notification);
  return (
    <div className="row wrap" data-trial={text(notification.type)}>
      <button type="button" className="button" disabled={bar !== undefined || trial.isPending} title={bar === undefined ? t.notify.trial.sends(addressOf(notification)) : undefined} onClick={() => trial.mutate(notification)}>
        {t.notify.trial.send}
      </button>
      {(bar === 'viewer' || bar === 'expression') && <span className="small faint">{t.notify.trial.bars[bar]}</span>}
      <span className="small" role="status">
        {about && trial.isSuccess && <span className="tone-well">{t.notify.trial.sent}</span>}
        {about && trial.isError && <span className="tone-bad">{t.notify.trial.failed(trial.error.message)}</span>}
      </span>
    </div>
  );
}

/** By what it goes, and where. */
function place({ type, address, cc }: JsonMap): string {
  return JSON.stringify([type, address, cc]);
}
