// The buttons of a server group and of an instance, and what they open. Which dialog is open stands in the address.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Instance, ServerGroup } from '../../api/inventory';
import { taskQuery } from '../../api/jobs';
import { serverGroupsQuery } from '../../api/queries';
import { Answered } from '../../parts/answers';
import { Following } from '../../parts/following';
import { useTexts } from '../../texts';
import { ActionDialog } from './action-dialog';
import { VIEWS } from './address';
import { ConsoleView } from './console';
import { actsOn, actsOnInstance, clusterOf, INSTANCE_ACTS, type Act } from './effects';

const route = getRouteApi('/applications/$application/clusters');

const DANGEROUS: ReadonlySet<Act> = new Set(['destroy', 'terminate']);

function useActs() {
  const { act } = route.useSearch();
  const navigate = route.useNavigate();
  return {
    act,
    open: (next: Act) => void navigate({ search: (was) => ({ ...was, act: next }) }),
    close: () => void navigate({ search: ({ act: _, ...rest }) => rest, replace: true }),
    done: (task: string) => void navigate({ search: ({ act: _, ...rest }) => ({ ...rest, task }), replace: true }),
  };
}

function Buttons({ label, acts, word, onOpen }: { label: string; acts: Act[]; word?: Partial<Record<Act, string>>; onOpen: (act: Act) => void }) {
  const t = useTexts();
  return (
    <div className="act-buttons" role="group" aria-label={label}>
      {acts.map((act) => (
        <button key={act} type="button" className={DANGEROUS.has(act) ? 'button danger' : 'button'} data-act={act} onClick={() => onOpen(act)}>
          {word?.[act] ?? t.acting.button[act]}
        </button>
      ))}
    </div>
  );
}

/** What can be done with a group, beside what it is. */
export function GroupActions({ group }: { group: ServerGroup }) {
  const t = useTexts();
  const { instance } = route.useSearch();
  const all = useQuery(serverGroupsQuery(group.application));
  const { act, open, close, done } = useActs();
  const cluster = clusterOf(group, all.data ?? [group]);
  const acts = actsOn(group, cluster);
  const chosen = acts.find((one) => one === act);
  return (
    <>
      <Buttons label={t.acting.on(group.name)} acts={acts} {...(group.disabled ? { word: { rollback: t.acting.giveBack } } : {})} onOpen={open} />
      {chosen !== undefined && <ActionDialog key={`${group.name} ${chosen} ${instance ?? ''}`} group={group} cluster={cluster} act={chosen} instance={undefined} onClose={close} onDone={done} />}
    </>
  );
}

/** An instance: what it is (`children`) or what it wrote, and what can be done with it. */
export function InstanceTabs({ group, instance, children }: { group: ServerGroup; instance: Instance; children: ReactNode }) {
  const t = useTexts();
  const { view = 'details' } = route.useSearch();
  const navigate = route.useNavigate();
  const all = useQuery(serverGroupsQuery(group.application));
  const { act, open, close, done } = useActs();
  const cluster = clusterOf(group, all.data ?? [group]);
  const chosen = INSTANCE_ACTS.find((one) => one === act);
  return (
    <div className="instance-tabs">
      <div className="drawer-tabs" role="group" aria-label={instance.name}>
        {VIEWS.map((one) => (
          <button key={one} type="button" className="drawer-tab" aria-pressed={view === one} onClick={() => void navigate({ search: (was) => ({ ...was, view: one }), replace: true })}>
            {t.acting[one]}
          </button>
        ))}
      </div>
      {view === 'log' ? <ConsoleView key={instance.id} group={group} instance={instance} /> : children}
      <Buttons label={t.acting.on(instance.name)} acts={actsOnInstance(group, instance)} onOpen={open} />
      {chosen !== undefined && <ActionDialog key={`${instance.id} ${chosen}`} group={group} cluster={cluster} act={chosen} instance={instance} onClose={close} onDone={done} />}
    </div>
  );
}

/** The task of the last action, as long as the address names it. */
export function FollowedTask() {
  const { task } = route.useSearch();
  const navigate = route.useNavigate();
  const dismiss = () => void navigate({ search: ({ task: _, ...rest }) => rest, replace: true });
  const followed = useQuery({ ...taskQuery(task ?? ''), enabled: task !== undefined });
  if (task === undefined) return null;
  return <Answered query={followed}>{(found) => <Following application={found.application} id={task} task={found} onDismiss={dismiss} />}</Answered>;
}
