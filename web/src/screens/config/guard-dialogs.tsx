// A new traffic guard, and one less: which clusters that is about is said first.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { applicationQuery, readGuards, update, updateSaid, type Guard } from '../../api/application';
import type { ServerGroup } from '../../api/inventory';
import { accountsQuery } from '../../api/accounts';
import { text } from '../../api/read';
import { Confirm } from '../../parts/confirm';
import { Choice, Part, TextField } from '../../parts/form';
import { useTexts } from '../../texts';
import { guarded, keyOf, partsOf } from '../../parts/guards';
import { useRenewal } from './renew';

/** Saves the guards that come out of those of this moment: another one may have added some meanwhile. */
function useGuardChange(application: string, change: (guards: Guard[]) => Guard[], onClose: () => void) {
  const queries = useQueryClient();
  const renew = useRenewal(application);
  return {
    act: async () => {
      const now = await queries.fetchQuery({ ...applicationQuery(application), staleTime: 0 });
      await update(application, { trafficGuards: change(readGuards(now)) });
    },
    onDone: () => renew().then(onClose),
    onClose,
  };
}

export function AddGuardDialog({ application, known: before, groups, onClose }: { application: string; known: Guard[]; groups: ServerGroup[]; onClose: () => void }) {
  const t = useTexts();
  const accounts = useQuery(accountsQuery()).data ?? [];
  const now = useQuery(applicationQuery(application)).data ?? {};
  const [given, setGiven] = useState<Partial<Guard>>({});
  const guard: Guard = { account: accounts[0]?.name ?? '*', location: '*', stack: '*', detail: '*', enabled: true, ...given };
  const there = before.some((one) => keyOf(one) === keyOf(guard));
  const changing = useGuardChange(application, (guards) => [...guards.filter((one) => keyOf(one) !== keyOf(guard)), guard], onClose);
  const regions = accounts.filter((one) => guard.account === '*' || one.name === guard.account).flatMap((one) => one.regions.map((region) => region.name));
  const parts = groups.map((group) => partsOf(group.cluster));
  const places = (names: string[]) => known(names).map((one) => ({ value: one, word: one === '*' ? t.config.guards.any : one }));
  const set = (part: Partial<Guard>) => setGiven({ ...given, ...part });
  return (
    <Confirm title={t.config.guards.adding} word={t.config.guards.add} name="guard" ready={!there} {...changing} said={updateSaid(location.origin, application, text(now.email), { trafficGuards: [...before, guard] })}>
      <Part>
        <Choice label={t.config.guards.account} value={guard.account} options={places(accounts.map((one) => one.name))} onChange={(account) => set({ account })} />
        <Choice label={t.config.guards.location} value={guard.location} options={places(regions)} onChange={(location) => set({ location })} />
        <TextField label={t.config.guards.stack} value={guard.stack} options={known(parts.map((one) => one.stack))} onChange={(stack) => set({ stack: stack.trim() })} />
        <TextField label={t.config.guards.detail} value={guard.detail} options={known(parts.map((one) => one.detail))} onChange={(detail) => set({ detail: detail.trim() })} />
      </Part>
      <p className="faint small">{t.config.guards.star}</p>
      {there ? <p className="tone-bad small">{t.config.guards.there}</p> : <Clusters says={t.config.guards.matches} none={t.config.guards.matchesNone} clusters={guarded(guard, groups)} />}
    </Confirm>
  );
}

/** What is there, and anything. */
function known(words: string[]): string[] {
  return [...new Set(['*', ...words])].filter((one) => one !== '');
}

export function RemoveGuardDialog({ application, guard, groups, onClose }: { application: string; guard: Guard; groups: ServerGroup[]; onClose: () => void }) {
  const t = useTexts();
  const without = (guards: Guard[]) => guards.filter((one) => keyOf(one) !== keyOf(guard));
  const changing = useGuardChange(application, without, onClose);
  const now = useQuery(applicationQuery(application)).data ?? {};
  return (
    <Confirm title={t.config.guards.removing} word={t.config.guards.remove} name="unguard" danger {...changing} said={updateSaid(location.origin, application, text(now.email), { trafficGuards: without(readGuards(now)) })}>
      <p>
        <code>{keyOf(guard)}</code>
      </p>
      <Clusters says={t.config.guards.unguarded} none={t.config.guards.matchesNone} clusters={guarded(guard, groups)} />
    </Confirm>
  );
}

function Clusters({ says, none, clusters }: { says: string; none: string; clusters: string[] }) {
  if (clusters.length === 0) return <p className="soft small">{none}</p>;
  return (
    <div>
      <p className="soft small">{says}</p>
      <ul className="inner-list">
        {clusters.map((one) => (
          <li key={one}>
            <bdi>{one}</bdi>
          </li>
        ))}
      </ul>
    </div>
  );
}
