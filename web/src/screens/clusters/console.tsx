// What an instance wrote, as it was when it was read; read again by hand.

import { useQuery } from '@tanstack/react-query';
import { consoleQuery } from '../../api/console';
import type { Instance, ServerGroup } from '../../api/inventory';
import { Answered } from '../../parts/answers';
import { CopyButton } from '../../parts/dialog';
import { LogView } from '../../parts/log';
import { Ago } from '../../parts/when';
import { useTexts } from '../../texts';

export function ConsoleView({ group, instance }: { group: ServerGroup; instance: Instance }) {
  const t = useTexts();
  const console = useQuery(consoleQuery(group.account, group.region, instance.id));
  return (
    <section className="instance-console" aria-label={t.acting.log}>
      <p className="row drawer-state">
        <code className="cut grow" title={instance.id}>
          {instance.name}
        </code>
        <CopyButton text={instance.id} />
      </p>
      <Answered query={console}>
        {(found) => (
          <>
            <LogView log={found.log} />
            <p className="row small soft console-foot">
              <span className="grow">
                {t.acting.readAt} <Ago at={found.readAt} />
              </span>
              <button type="button" className="button" disabled={console.isFetching} onClick={() => void console.refetch()}>
                {t.acting.readAgain}
              </button>
            </p>
          </>
        )}
      </Answered>
    </section>
  );
}
