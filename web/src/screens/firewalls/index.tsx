// Firewalls of an application: what each lets in, and what is behind it.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { firewallsQuery, type Firewall } from '../../api/choices';
import { balancersQuery, serverGroupsQuery } from '../../api/queries';
import { Answered, Empty } from '../../parts/answers';
import { useLast } from '../../parts/last';
import { useTexts } from '../../texts';
import { DeleteFirewall } from './delete';
import { behind, rulesOf, type Behind } from './draft';
import { EditFirewall } from './edit';
import './firewalls.css';

const route = getRouteApi('/applications/$application/firewalls');

export function FirewallsScreen() {
  const t = useTexts();
  const { application } = route.useParams();
  const { firewall, account, region, do: doing } = route.useSearch();
  const navigate = route.useNavigate();
  const firewalls = useQuery(firewallsQuery(application));
  const balancers = useQuery(balancersQuery(application)).data ?? [];
  const groups = useQuery(serverGroupsQuery(application)).data ?? [];
  const isChosen = (one: Firewall) => one.name === firewall && (account ?? one.account) === one.account && (region ?? one.region) === one.region;
  const last = useLast(firewalls.data?.find(isChosen));
  const chosen = last !== undefined && isChosen(last) ? last : undefined;
  const close = () => void navigate({ search: firewall === undefined ? {} : { firewall } });
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
              {all.map((one) => (
                <FirewallPart key={`${one.account} ${one.region} ${one.name}`} firewall={one} application={application} behind={behind(one, balancers, groups)} here={isChosen(one)} />
              ))}
            </>
          )
        }
      </Answered>
      {firewalls.data !== undefined && (doing === 'create' || (doing === 'edit' && chosen !== undefined)) && (
        <EditFirewall key={doing} application={application} all={firewalls.data} firewall={doing === 'edit' ? chosen : undefined} behind={doing === 'edit' && chosen !== undefined ? behind(chosen, balancers, groups) : []} onClose={close} />
      )}
      {doing === 'delete' && chosen !== undefined && <DeleteFirewall application={application} firewall={chosen} behind={behind(chosen, balancers, groups)} onClose={close} />}
    </div>
  );
}

function FirewallPart({ firewall, application, behind, here }: { firewall: Firewall; application: string; behind: Behind[]; here: boolean }) {
  const t = useTexts();
  const rules = rulesOf(firewall);
  return (
    <section className={here ? 'firewall here' : 'firewall'} data-firewall={firewall.name}>
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
      {firewall.description !== '' && (
        <p className="soft small">
          <bdi>{firewall.description}</bdi>
        </p>
      )}
      <div className="firewall-body">
        {rules.length === 0 ? (
          <p className="soft small">{t.firewalls.noRules}</p>
        ) : (
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
        )}
        <div>
          <h3>{t.firewalls.behind}</h3>
          {behind.length === 0 ? (
            <p className="soft small">{t.firewalls.behindNone}</p>
          ) : (
            <p className="firewall-behind">
              {behind.map((one) =>
                one.kind === 'balancer' ? (
                  <Link key={`b ${one.name}`} className="word" to="/applications/$application/load-balancers" params={{ application }} search={{ balancer: one.name }}>
                    <bdi>{one.name}</bdi>
                  </Link>
                ) : (
                  <Link key={`g ${one.name}`} className="word" to="/applications/$application/clusters" params={{ application }} search={{ group: one.name }}>
                    <bdi>{one.name}</bdi>
                  </Link>
                ),
              )}
            </p>
          )}
        </div>
      </div>
    </section>
  );
}
