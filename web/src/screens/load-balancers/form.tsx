// The fields of a load balancer: name and place, listeners, health check, firewalls.

import type { Account } from '../../api/accounts';
import type { Named } from '../../api/named';
import { Choice, NumberField, Part, Rows, TextField, Ticks } from '../../parts/form';
import type { Say } from '../../parts/job-dialog';
import { Place } from '../../parts/place';
import { useTexts } from '../../texts';
import { isSecure, PROTOCOLS, type BalancerDraft, type ListenerDraft } from './draft';

interface Props {
  draft: BalancerDraft;
  set: (draft: BalancerDraft) => void;
  say: Say;
  accounts: Account[];
  /** Names of the account's certificates. */
  certificates: string[];
  firewalls: Named[];
  /** One that exists keeps its name and place. */
  exists: boolean;
}

export function BalancerForm({ draft, set, say, accounts, certificates, firewalls, exists }: Props) {
  const t = useTexts();
  const here = firewalls.filter((one) => one.account === draft.account && one.region === draft.region).map((one) => one.name);
  return (
    <>
      {!exists && (
        <Part title={t.newBalancer.where}>
          <TextField wide required label={t.common.name} value={draft.name} error={say('name')} onChange={(name) => set({ ...draft, name })} />
          <Place accounts={accounts} at={draft} onChange={(at) => set({ ...draft, ...at, firewalls: [] })} />
        </Part>
      )}
      <Part title={t.newBalancer.listeners}>
        <Rows rows={draft.listeners} least={1} add={t.newBalancer.listener} blank={{ protocol: 'TCP', port: '', certificates: [] }} onChange={(listeners) => set({ ...draft, listeners })}>
          {(listener, change, at) => <ListenerFields listener={listener} change={change} at={at} say={say} certificates={certificates} />}
        </Rows>
      </Part>
      <Part title={t.newBalancer.check}>
        <Choice
          label={t.newBalancer.kind}
          value={draft.check}
          options={[
            { value: 'HTTP', word: t.newBalancer.http },
            { value: 'TCP', word: t.newBalancer.tcp },
            { value: 'none', word: t.newBalancer.noCheck },
          ]}
          onChange={(check) => set({ ...draft, check })}
        />
        {draft.check === 'HTTP' ? <TextField label={t.newBalancer.path} value={draft.path} error={say('path')} onChange={(path) => set({ ...draft, path })} /> : <span />}
        {draft.check !== 'none' && (
          <>
            <NumberField label={t.newBalancer.interval} unit={t.wizards.seconds} value={draft.interval} error={say('interval')} onChange={(interval) => set({ ...draft, interval })} />
            <NumberField label={t.newBalancer.timeout} unit={t.wizards.seconds} value={draft.timeout} error={say('timeout')} onChange={(timeout) => set({ ...draft, timeout })} />
            <NumberField label={t.newBalancer.healthy} unit={t.newBalancer.answers} value={draft.healthy} error={say('healthy')} onChange={(healthy) => set({ ...draft, healthy })} />
            <NumberField label={t.newBalancer.unhealthy} unit={t.newBalancer.failures} value={draft.unhealthy} error={say('unhealthy')} onChange={(unhealthy) => set({ ...draft, unhealthy })} />
          </>
        )}
      </Part>
      <Part title={t.newBalancer.firewalls}>
        <Ticks wide label={t.newBalancer.firewallsOf} options={here} chosen={draft.firewalls} none={t.newBalancer.noFirewalls} onChange={(chosen) => set({ ...draft, firewalls: chosen })} />
      </Part>
    </>
  );
}

function ListenerFields({ listener, change, at, say, certificates }: { listener: ListenerDraft; change: (listener: ListenerDraft) => void; at: number; say: Say; certificates: string[] }) {
  const t = useTexts();
  const spoken = PROTOCOLS.filter((one) => certificates.length > 0 || one === listener.protocol || !isSecure(one));
  return (
    <>
      <Choice label={t.newBalancer.protocol} value={listener.protocol} options={spoken.map((one) => ({ value: one, word: one }))} onChange={(protocol) => change({ ...listener, protocol })} />
      <NumberField label={t.newBalancer.port} placeholder={t.newBalancer.automatic} help={t.newBalancer.portHelp} value={listener.port} error={say(`port${at}`)} onChange={(port) => change({ ...listener, port })} />
      {isSecure(listener.protocol) && (
        <Ticks label={t.newBalancer.certificate} options={[...new Set([...certificates, ...listener.certificates])]} chosen={listener.certificates} none={t.common.none} error={say(`certificate${at}`)} onChange={(chosen) => change({ ...listener, certificates: chosen })} />
      )}
    </>
  );
}
