// Firewalls of an application: what each lets in, and what is behind it.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { memo, useMemo, useState } from 'react';
import { firewallQuery, firewallsQuery, type Firewall } from '../../api/choices';
import { isMeant, type Named } from '../../api/named';
import { balancersQuery, serverGroupsQuery } from '../../api/queries';
import { Answered, Empty } from '../../parts/answers';
import { useLast } from '../../parts/last';
import { LongList } from '../../parts/long-list';
import type { At } from '../../parts/place';
import { useTexts } from '../../texts';
import { DeleteFirewall } from './delete';
import { allBehind, rulesOf, type Behind } from './draft';
import { EditFirewall } from './edit';
import './firewalls.css';

const route = getRouteApi('/applications/$application/firewalls');

export function FirewallsScreen() {
  const t = useTexts();
  const { application } = route.useParams();
  const { firewall, account, region, do: doing } = route.useSearch();
  const navigate = route.useNavigate();
  const firewalls = useQuery(firewallsQuery(application));
  const balancers = useQuery(balancersQuery(application)).data;
  const groups = useQuery(serverGroupsQuery(application)).data;
  const behind = useMemo(() => allBehind(balancers ?? [], groups ?? []), [balancers, groups]);
  const isChosen = (one: Named) => isMeant({ name: firewall, account, region }, one);
  const last = useLast(firewalls.data?.find(isChosen));
  const named = last !== undefined && isChosen(last) ? last : undefined;
  // Its rules, for the dialog that changes them; what is deleted while that is said stays as it was.
  const chosen = useLast(useQuery({ ...firewallQuery(named ?? { account: '', region: '', name: '' }, firewalls.dataUpdatedAt), enabled: named !== undefined && doing === 'edit' }).data);
  const close = () => void navigate({ search: ({ do: _, ...rest }) => rest });
  const create = (
    <button type="button" className="button primary" onClick={() => void navigate({ search: { do: 'create' } })}>
      {t.firewalls.create}
    </button>
  );
  return (
    <div className="screen">
      <h1 className="hidden-words">{t.firewalls.tab}</h1>
      <Answered query={firewalls}>
        {(all) =>
          all.length === 0 ? (
            <Empty>
              <p>{t.firewalls.empty}</p>
              <p>{t.firewalls.emptyMore}</p>
              {create}
            </Empty>
          ) : (
            <>
              <div className="screen-head">
                <span className="grow soft small">{t.firewalls.count(all.length)}</span>
                {create}
              </div>
              <LongList as="ul" items={all} keyOf={keyOf} guess={PART} short={20} reveal={named === undefined ? undefined : keyOf(named)}>
                {(one) => <FirewallPart firewall={one} application={application} listed={firewalls.dataUpdatedAt} behind={behind(one)} here={isChosen(one)} />}
              </LongList>
            </>
          )
        }
      </Answered>
      {firewalls.data !== undefined && doing === 'create' && <EditFirewall key="create" application={application} all={firewalls.data} firewall={undefined} behind={[]} onClose={close} />}
      {firewalls.data !== undefined && doing === 'edit' && chosen !== undefined && isChosen(chosen) && <EditFirewall key="edit" application={application} all={firewalls.data} firewall={chosen} behind={behind(chosen)} onClose={close} />}
      {doing === 'delete' && named !== undefined && <DeleteFirewall application={application} firewall={named} behind={behind(named)} onClose={close} />}
    </div>
  );
}

const keyOf = (one: Named) => `${one.account} ${one.region} ${one.name}`;

/** The height of a firewall with one rule, as firewalls.css has it. */
const PART = 150;

const FirewallPart = memo(function FirewallPart({ firewall, application, listed, behind, here }: { firewall: Named; application: string; listed: number; behind: Behind[]; here: boolean }) {
  const t = useTexts();
  const found = useQuery(firewallQuery(firewall, listed));
  return (
    <li className={here ? 'firewall here' : 'firewall'} data-firewall={firewall.name}>
      <h2>
        <bdi>{firewall.name}</bdi>
        <span className="faint small">
          {firewall.account} / {firewall.region}
        </span>
        <span className="grow" />
        {(['edit', 'delete'] as const).map((one) => (
          <Link key={one} className="button quiet" to="/applications/$application/firewalls" params={{ application }} search={{ firewall: firewall.name, account: firewall.account, region: firewall.region, do: one }} aria-label={`${t.wizards[one]}: ${firewall.name}`}>
            {t.wizards[one]}
          </Link>
        ))}
      </h2>
      {found.data !== undefined && found.data.description !== '' && (
        <p className="soft small">
          <bdi>{found.data.description}</bdi>
        </p>
      )}
      <div className="firewall-body">
        <Answered query={found}>{(all) => <Rules firewall={all} />}</Answered>
        <div>
          <h3>{t.firewalls.behind}</h3>
          {behind.length === 0 ? (
            <p className="soft small">{t.firewalls.behindNone}</p>
          ) : (
            <BehindNames behind={behind} application={application} at={{ account: firewall.account, region: firewall.region }} />
          )}
        </div>
      </div>
    </li>
  );
});

function Rules({ firewall }: { firewall: Firewall }) {
  const t = useTexts();
  const rules = rulesOf(firewall);
  if (rules.length === 0) return <p className="soft small">{t.firewalls.noRules}</p>;
  return (
    <table className="rows" aria-label={t.firewalls.rules}>
      <thead>
        <tr>
          <th>{t.firewalls.protocol}</th>
          <th>{t.firewalls.ports}</th>
          <th>{t.firewalls.from}</th>
        </tr>
      </thead>
      <tbody>
        {rules.map((rule) => (
          <tr key={`${rule.protocol} ${rule.ports} ${rule.from}`}>
            <td>{t.firewalls[rule.protocol]}</td>
            <td>{rule.ports === '' ? t.firewalls.allPorts : rule.ports}</td>
            <td>
              <code>{rule.from}</code>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** So many names are there before somebody asks for all. */
const NAMED = 24;

function BehindNames({ behind, application, at }: { behind: Behind[]; application: string; at: At }) {
  const t = useTexts();
  const [all, setAll] = useState(false);
  const shown = all ? behind : behind.slice(0, NAMED);
  return (
    <p className="firewall-behind">
      {shown.map((one) =>
        one.kind === 'balancer' ? (
          <Link key={`b ${one.name}`} className="word" to="/applications/$application/load-balancers" params={{ application }} search={{ balancer: one.name, ...at }}>
            <bdi>{one.name}</bdi>
          </Link>
        ) : (
          <Link key={`g ${one.name}`} className="word" to="/applications/$application/clusters" params={{ application }} search={{ group: one.name, ...at }}>
            <bdi>{one.name}</bdi>
          </Link>
        ),
      )}
      {shown.length < behind.length && (
        <button type="button" className="button quiet" onClick={() => setAll(true)}>
          {t.firewalls.behindMore(behind.length - shown.length)}
        </button>
      )}
    </p>
  );
}
