// Whom the application tells what, as it is kept.

import { useQuery } from '@tanstack/react-query';
import { notificationsQuery } from '../../api/application';
import { useTexts } from '../../texts';
import { notifications } from './attributes';

export function NotificationsPart({ application }: { application: string }) {
  const t = useTexts();
  const kept = useQuery(notificationsQuery(application));
  const all = notifications(kept.data ?? {});
  return (
    <section className="section" aria-labelledby="config-notifications">
      <div className="config-head">
        <h2 id="config-notifications">{t.config.notifications.title}</h2>
      </div>
      {all.length === 0 ? (
        <p className="soft small">{t.config.notifications.none}</p>
      ) : (
        <>
          <table className="rows config-table">
            <thead>
              <tr>
                <th>{t.config.notifications.kind}</th>
                <th>{t.config.notifications.address}</th>
                <th>{t.config.notifications.when}</th>
              </tr>
            </thead>
            <tbody>
              {all.map((one, at) => (
                <tr key={at}>
                  <td>{one.kind}</td>
                  <td>
                    <bdi>{one.address}</bdi>
                  </td>
                  <td className="soft">{one.when.join(', ')}</td>
                </tr>
              ))}
            </tbody>
          </table>
          <p className="faint small config-below">{t.config.notifications.notSent}</p>
        </>
      )}
    </section>
  );
}
