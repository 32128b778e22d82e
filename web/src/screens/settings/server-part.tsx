// The server: its version, whether it is well, by what it tells people, and the disk of its repositories.

import { useQuery } from '@tanstack/react-query';
import { diskQuery, serverQuery } from '../../api/accounts';
import { notifierKindsQuery } from '../../api/notifications';
import { Answered } from '../../parts/answers';
import { Mark } from '../../parts/mark';
import { useTexts } from '../../texts';
import { diskTone } from './health';

export function ServerPart() {
  const t = useTexts();
  const server = useQuery(serverQuery());
  const disk = useQuery(diskQuery());
  const kinds = useQuery(notifierKindsQuery()).data;
  return (
    <section className="section" aria-labelledby="settings-server">
      <h2 id="settings-server">{t.setup.server}</h2>
      <Answered query={server}>
        {({ version, status, aptly }) => (
          <dl className="facts">
            <dt>{t.run.version}</dt>
            <dd data-version={version}>{version}</dd>
            <dt>{t.setup.health}</dt>
            <dd>
              <Mark said={status === 'UP' ? { tone: 'well', word: t.status.healthy } : { tone: 'bad', word: status }} />
            </dd>
            <dt>{t.setup.aptlyLike}</dt>
            <dd>{aptly}</dd>
            {kinds !== undefined && (
              <>
                <dt>{t.setup.tells}</dt>
                <dd data-notifiers>{kinds.join(', ') || t.common.none}</dd>
              </>
            )}
            {disk.data !== undefined && (
              <>
                <dt>{t.setup.disk}</dt>
                <dd>
                  <meter className="settings-disk" min={0} max={100} low={80} high={90} optimum={0} value={disk.data.full} aria-label={t.setup.disk} />
                  <span className={`small tone-${diskTone(disk.data.full)}`}>{t.setup.free(disk.data.free / 1024 ** 3, disk.data.total / 1024 ** 3)}</span>
                </dd>
              </>
            )}
          </dl>
        )}
      </Answered>
    </section>
  );
}
