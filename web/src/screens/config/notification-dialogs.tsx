// A notification of the application made or changed, and one removed: the same as a request of the whole document, in which all else stays.

import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { notificationsQuery, saveNotifications, saveNotificationsSaid } from '../../api/application';
import { text, texts, type JsonMap } from '../../api/read';
import { Confirm } from '../../parts/confirm';
import { Part, TextArea, TextField, Ticks } from '../../parts/form';
import { NotSent, Trial } from '../../parts/notification-add';
import { addressOf, eventsOf, eventWord, kindWord, linesOf, messageOf, newNotification, withMessage, withWhen } from '../../parts/notifications';
import { useTexts } from '../../texts';
import { replaced, unseenOf, withLine, wrongIn } from './notifying';

interface Props {
  application: string;
  document: JsonMap;
  kind: string;
  onClose: () => void;
}

/** Saves the document that comes out of the one of this moment: somebody else may have changed another entry meanwhile. */
function useSaving({ application, document, kind, onClose }: Props, before: JsonMap | undefined, after: JsonMap | undefined) {
  const t = useTexts();
  const queries = useQueryClient();
  const query = notificationsQuery(application);
  return {
    act: async () => {
      const next = replaced(await queries.fetchQuery({ ...query, staleTime: 0 }), kind, before, after);
      if (next === undefined) throw new Error(t.config.notifications.meanwhile);
      await saveNotifications(application, next);
    },
    onDone: () => queries.invalidateQueries({ queryKey: query.queryKey }).then(onClose),
    onClose,
    said: saveNotificationsSaid(location.origin, application, replaced(document, kind, before, after) ?? document),
  };
}

/** Without one to begin with it is a new one. */
export function NotificationDialog({ given, ...props }: Props & { given: JsonMap | undefined }) {
  const t = useTexts();
  const { kind } = props;
  // What is edited stays what it was when the dialog opened, also when the page renews its document.
  const [before] = useState(given);
  const [next, setNext] = useState(() => before ?? newNotification(kind, 'application'));
  const [touched, setTouched] = useState<string[]>([]);
  const wrong = wrongIn(kind, next, t);
  const saving = useSaving(props, before, next);
  const ready = Object.keys(wrong).length === 0 && JSON.stringify(next) !== JSON.stringify(before);
  const said = (key: string) => (wrong[key]?.missing === true && !touched.includes(key) ? undefined : wrong[key]?.why);
  const type = (key: string, typed: string) => {
    setTouched([...touched, key]);
    setNext(withLine(next, key, typed));
  };
  const events: readonly string[] = eventsOf(undefined);
  const when = texts(next.when);
  const toggled = (chosen: string[]) => {
    const changed = chosen.find((one) => !when.includes(one)) ?? when.find((one) => !chosen.includes(one));
    if (changed !== undefined) setNext({ ...next, when: withWhen(next, changed, chosen.includes(changed), events) });
  };
  const unseen = unseenOf(kind, next, t);
  return (
    <Confirm title={before === undefined ? t.config.notifications.adding : t.config.notifications.changing} word={t.config.save} name="notification" kept ready={ready} {...saving}>
      <p>{kindWord(kind, t)}</p>
      <NotSent kind={kind} />
      <Part>
        {linesOf(kind, t).map(({ key, title, help }) => (
          <TextField key={key} label={title} help={help} value={key === 'address' ? addressOf(next) : text(next[key])} error={said(key)} required={key === 'address'} onChange={(typed) => type(key, typed)} />
        ))}
        <Ticks wide label={t.notify.when} options={[...new Set([...events, ...when])]} word={(event) => eventWord(event, t)} chosen={when} none="" error={said('when')} onChange={toggled} />
        {when.map((event) => (
          <TextArea key={event} wide label={t.notify.message(eventWord(event, t))} value={messageOf(next, event)} placeholder={t.notify.usual} onChange={(typed) => setNext(withMessage(next, event, typed))} />
        ))}
      </Part>
      <Trial notification={{ ...next, type: kind }} />
      {unseen.length > 0 && <p className="faint small">{t.config.notifications.unseen(unseen.join(', '))}</p>}
      <p className="soft small">{t.config.notifications.saves}</p>
    </Confirm>
  );
}

export function RemoveNotificationDialog({ notification, ...props }: Props & { notification: JsonMap }) {
  const t = useTexts();
  const [before] = useState(notification);
  const saving = useSaving(props, before, undefined);
  return (
    <Confirm title={t.config.notifications.removing} word={t.config.guards.remove} name="unnotify" danger {...saving}>
      <p>
        {kindWord(props.kind, t)} · <bdi>{addressOf(before)}</bdi>
      </p>
      <p className="soft small">{t.config.notifications.saves}</p>
    </Confirm>
  );
}
