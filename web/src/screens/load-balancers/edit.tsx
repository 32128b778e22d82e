// Creating and changing a load balancer. What there is to choose is asked for first, so that the form opens whole.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { accountsQuery, type Account } from '../../api/accounts';
import { balancerQuery, certificatesQuery, firewallsQuery } from '../../api/choices';
import type { Named } from '../../api/named';
import type { Balancer } from '../../api/inventory';
import { CopyButton } from '../../parts/dialog';
import { JobDialog } from '../../parts/job-dialog';
import { OpenLink } from '../../parts/open-link';
import { firstPlace } from '../../parts/place';
import { useTexts } from '../../texts';
import { draftOf, freeName, newBalancer, problemsOfBalancer, upsert, type BalancerDraft } from './draft';
import { BalancerForm } from './form';

interface Props {
  application: string;
  all: Balancer[];
  /** The one that is changed; a new one without. */
  balancer: Balancer | undefined;
  onClose: () => void;
}

/** Nothing is drawn until everything is here: a form that changes by itself is no form. */
export function EditBalancer(props: Props) {
  const { balancer, application } = props;
  const accounts = useQuery(accountsQuery());
  const firewalls = useQuery(firewallsQuery(application));
  const certificates = useQuery(certificatesQuery());
  const one = useQuery({ ...balancerQuery(balancer ?? { account: '', region: '', name: '' }), enabled: balancer !== undefined });
  if (accounts.data === undefined || firewalls.data === undefined || certificates.data === undefined) return null;
  if (balancer !== undefined && one.data === undefined) return null;
  const at = firstPlace(accounts.data);
  const start = one.data === undefined ? newBalancer(freeName(application, props.all.filter((other) => other.account === at.account && other.region === at.region).map((other) => other.name)), at.account, at.region) : draftOf(one.data);
  return <EditDialog {...props} start={start} accounts={accounts.data} firewalls={firewalls.data} certificates={certificates.data} />;
}

interface DialogProps extends Props {
  start: BalancerDraft;
  accounts: Account[];
  firewalls: Named[];
  certificates: { account: string; name: string }[];
}

function EditDialog({ application, all, balancer, onClose, start, accounts, firewalls, certificates }: DialogProps) {
  const t = useTexts();
  const [draft, setDraft] = useState(start);
  const [before] = useState(all);
  const taken = balancer === undefined ? before.filter((one) => one.account === draft.account && one.region === draft.region).map((one) => one.name) : [];
  const listeners = draft.listeners.map((one) => (one.port === '' ? t.newBalancer.freePort(one.protocol) : t.newBalancer.onPort(one.protocol, one.port))).join(', ');
  const title = balancer === undefined ? t.newBalancer.create : t.newBalancer.edit(balancer.name);
  return (
    <JobDialog
      title={title}
      verb={balancer === undefined ? t.wizards.create : t.wizards.save}
      asked={upsert(draft, application, balancer === undefined ? `Create load balancer: ${draft.name}` : `Edit load balancer: ${draft.name}`)}
      problems={problemsOfBalancer(draft, application, taken, t)}
      onClose={onClose}
      beneath={(task) => task?.status === 'SUCCEEDED' && <Made application={application} balancer={all.find((one) => one.name === draft.name && one.account === draft.account)} />}
    >
      {(say) => (
        <>
          <BalancerForm draft={draft} set={setDraft} say={say} accounts={accounts} firewalls={firewalls} certificates={certificates.filter((one) => one.account === draft.account).map((one) => one.name)} exists={balancer !== undefined} />
          <div className="form-sum">
            <p>{balancer === undefined ? t.newBalancer.will(draft.name, `${draft.account} / ${draft.region}`, listeners) : t.newBalancer.changes(balancer.name, balancer.groups.length)}</p>
            {balancer !== undefined && <p>{t.newBalancer.lost}</p>}
          </div>
        </>
      )}
    </JobDialog>
  );
}

/** Where it answers now, and what comes next. */
function Made({ application, balancer }: { application: string; balancer: Balancer | undefined }) {
  const t = useTexts();
  if (balancer === undefined) return null;
  return (
    <>
      {balancer.listeners.map((listener) => (
        <p key={listener.address} className="row">
          <span className="soft">{t.newBalancer.address}</span>
          <code>{listener.address}</code>
          <CopyButton text={listener.address} />
          <OpenLink address={listener.address} />
        </p>
      ))}
      {balancer.groups.length === 0 && (
        <p className="next">
          <Link className="button primary" to="/applications/$application/clusters" params={{ application }} search={{ do: 'create' }}>
            {t.newBalancer.next}
          </Link>
        </p>
      )}
    </>
  );
}
