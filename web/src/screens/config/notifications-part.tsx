// Whom the application tells what: a row for each, with what changes and what removes it, and one more.

import { useQuery } from '@tanstack/react-query';
import { notificationsQuery } from '../../api/application';
import { texts } from '../../api/read';
import { AddNotification } from '../../parts/notification-add';
import { addressOf, eventWord } from '../../parts/notifications';
import { useTexts } from '../../texts';
import { NotificationDialog, RemoveNotificationDialog } from './notification-dialogs';
import { entriesOf, keyOf, type Entry } from './notifying';

interface Props {
  application: string;
  /** The one in the open dialog: its key, or the kind of a new one. */
  chosen: string | undefined;
  removing: boolean;
  onShow: (next: { edit?: string; notification: string }) => void;
  onClose: () => void;
}

export function NotificationsPart({ application, chosen, removing, onShow, onClose }: Props) {
  const t = useTexts();
  const document = useQuery(notificationsQuery(application)).data;
  const all = entriesOf(document ?? {});
  const entry = all.find((one) => keyOf(one) === chosen);
  const about = { application, document: document ?? {}, onClose };
  return (
    <section className="section" aria-labelledby="config-notifications">
      <div className="config-head">
        <h2 id="config-notifications">{t.config.notifications.title}</h2>
      </div>
      {all.length === 0 ? (
        <p className="soft small">{t.config.notifications.none}</p>
      ) : (
        <table className="rows config-table">
          <thead>
            <tr>
              <th>{t.config.notifications.kind}</th>
              <th>{t.config.notifications.address}</th>
              <th className="wide-only">{t.config.notifications.when}</th>
              <th aria-label={t.config.edit} />
            </tr>
          </thead>
          <tbody>
            {all.map((one) => (
              <NotificationRow key={keyOf(one)} entry={one} onShow={onShow} />
            ))}
          </tbody>
        </table>
      )}
      <div className="config-below">
        <AddNotification onAdd={(kind) => onShow({ notification: kind })} />
      </div>
      {document !== undefined && chosen !== undefined && !removing && (entry !== undefined || !chosen.includes('.')) && (
        <NotificationDialog key={chosen} {...about} kind={entry?.kind ?? chosen} given={entry?.notification} />
      )}
      {entry !== undefined && removing && <RemoveNotificationDialog key={chosen} {...about} kind={entry.kind} notification={entry.notification} />}
    </section>
  );
}

function NotificationRow({ entry, onShow }: { entry: Entry; onShow: Props['onShow'] }) {
  const t = useTexts();
  const address = addressOf(entry.notification);
  const key = keyOf(entry);
  return (
    <tr data-notification={key}>
      <td>{entry.kind}</td>
      <td className="config-address">
        <bdi>{address}</bdi>
      </td>
      <td className="soft wide-only">{texts(entry.notification.when).map((event) => eventWord(event, t)).join(', ')}</td>
      <td className="number">
        <button type="button" className="button" aria-label={t.config.notifications.editNamed(entry.kind, address)} onClick={() => onShow({ notification: key })}>
          {t.config.edit}
        </button>{' '}
        <button type="button" className="button" aria-label={t.config.notifications.removeNamed(entry.kind, address)} onClick={() => onShow({ edit: 'unnotify', notification: key })}>
          {t.config.guards.remove}
        </button>
      </td>
    </tr>
  );
}
