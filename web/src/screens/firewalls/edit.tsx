// Creating and changing a firewall: its rules, and who feels them.

import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { accountsQuery, type Account } from '../../api/accounts';
import type { Firewall } from '../../api/choices';
import type { Named } from '../../api/named';
import { Choice, Part, Rows, TextField } from '../../parts/form';
import { JobDialog } from '../../parts/job-dialog';
import { firstPlace, Place } from '../../parts/place';
import { useTexts } from '../../texts';
import { draftOf, problemsOfFirewall, upsert, type Behind, type FirewallDraft, type RuleDraft } from './draft';

interface Props {
  application: string;
  all: Named[];
  /** The one that is changed; a new one without. */
  firewall: Firewall | undefined;
  behind: Behind[];
  onClose: () => void;
}

const RULE: RuleDraft = { protocol: 'tcp', ports: '', from: '' };

export function EditFirewall(props: Props) {
  const accounts = useQuery(accountsQuery()).data;
  if (accounts === undefined) return null;
  const blank = { name: props.application, ...firstPlace(accounts), description: '', rules: [RULE] };
  return <EditDialog {...props} accounts={accounts} start={props.firewall === undefined ? blank : draftOf(props.firewall)} />;
}

function EditDialog({ application, all, firewall, behind, onClose, accounts, start }: Props & { accounts: Account[]; start: FirewallDraft }) {
  const t = useTexts();
  const w = t.firewalls;
  const [draft, set] = useState(start);
  const [before] = useState(all);
  const taken = firewall === undefined ? before.filter((one) => one.account === draft.account && one.region === draft.region).map((one) => one.name) : [];
  return (
    <JobDialog
      title={firewall === undefined ? w.create : w.edit(firewall.name)}
      verb={firewall === undefined ? t.wizards.create : t.wizards.save}
      asked={upsert(draft, application, `${firewall === undefined ? 'Create' : 'Edit'} firewall: ${draft.name}`)}
      problems={problemsOfFirewall(draft, application, taken, t)}
      onClose={onClose}
    >
      {(say) => (
        <>
          <Part title={w.where}>
            {firewall === undefined && <TextField required label={t.common.name} value={draft.name} error={say('name')} onChange={(name) => set({ ...draft, name })} />}
            <TextField wide={firewall !== undefined} label={w.description} value={draft.description} onChange={(description) => set({ ...draft, description })} />
            {firewall === undefined && <Place accounts={accounts} at={draft} onChange={(at) => set({ ...draft, ...at })} />}
          </Part>
          <Part title={w.rules}>
            <Rows rows={draft.rules} add={w.addRule} blank={RULE} onChange={(rules) => set({ ...draft, rules })}>
              {(rule, change, at) => (
                <>
                  <Choice label={w.protocol} value={rule.protocol} options={(['tcp', 'udp', 'all'] as const).map((one) => ({ value: one, word: w[one] }))} onChange={(protocol) => change({ ...rule, protocol })} />
                  <TextField label={w.ports} placeholder={w.allPorts} value={rule.ports} help={w.portsHelp} error={say(`ports${at}`)} onChange={(ports) => change({ ...rule, ports })} />
                  <TextField required label={w.from} placeholder="10.0.0.0/8" value={rule.from} help={w.fromHelp} error={say(`from${at}`)} onChange={(from) => change({ ...rule, from })} />
                </>
              )}
            </Rows>
          </Part>
          <div className={draft.rules.length === 0 ? 'form-sum losing' : 'form-sum'}>
            <p>{w.will(draft.name, draft.rules.length)}</p>
            <p>{behind.length === 0 ? w.behindNone : w.changes(behind.map((one) => one.name).join(', '))}</p>
          </div>
        </>
      )}
    </JobDialog>
  );
}
