// The accounts: whether each answers, and of the open one its regions, zones, and what runs there.

import { useQuery } from '@tanstack/react-query';
import { Fragment } from 'react';
import { accountHealthQuery, accountLoadQuery, accountsQuery, instanceTypesQuery, type Account } from '../../api/accounts';
import { Answered, Empty } from '../../parts/answers';
import { Draw } from '../../parts/icons';
import { Mark } from '../../parts/mark';
import { Ago } from '../../parts/when';
import { useTexts } from '../../texts';
import { ofAccount } from './health';

export function AccountsPart({ chosen, onChoose }: { chosen: string | undefined; onChoose: (account: string | undefined) => void }) {
  const t = useTexts();
  const accounts = useQuery(accountsQuery());
  return (
    <section className="section" aria-labelledby="settings-accounts">
      <h2 id="settings-accounts">{t.setup.accounts}</h2>
      <Answered query={accounts}>
        {(all) =>
          all.length === 0 ? (
            <Empty>{t.setup.noAccounts}</Empty>
          ) : (
            <table className="rows">
              <thead>
                <tr>
                  <th>{t.common.name}</th>
                  <th>{t.setup.health}</th>
                  <th className="wide-only">{t.setup.cloud}</th>
                  <th className="wide-only">{t.setup.environment}</th>
                  <th className="number">{t.setup.regions}</th>
                  <th className="number">{t.setup.instances}</th>
                </tr>
              </thead>
              <tbody>
                {all.map((one) => (
                  <AccountRows key={one.name} account={one} open={chosen === one.name} onToggle={(open) => onChoose(open ? one.name : undefined)} />
                ))}
              </tbody>
            </table>
          )
        }
      </Answered>
    </section>
  );
}

function AccountRows({ account, open, onToggle }: { account: Account; open: boolean; onToggle: (open: boolean) => void }) {
  const t = useTexts();
  const health = useQuery(accountHealthQuery(account.name)).data;
  const load = useQuery(accountLoadQuery()).data;
  const own = load?.get(account.name);
  const said = ofAccount(account, health, t);
  return (
    <Fragment>
      <tr data-account={account.name} data-health={said.tone}>
        <td>
          <button type="button" className="settings-open" aria-expanded={open} onClick={() => onToggle(!open)}>
            <span className={open ? 'twist open' : 'twist'}>
              <Draw what="right" />
            </span>
            <bdi className="strong">{account.name}</bdi>
          </button>
        </td>
        <td>
          <Mark said={said} />
        </td>
        <td className="soft wide-only">{account.provider}</td>
        <td className="soft wide-only">{account.environment}</td>
        <td className="number soft">{account.regions.length}</td>
        <td className="number soft">{load === undefined ? '–' : (own?.instances ?? 0).toLocaleString()}</td>
      </tr>
      {open && (
        <tr className="settings-account">
          <td colSpan={6}>
            <AccountFacts account={account} />
          </td>
        </tr>
      )}
    </Fragment>
  );
}

function AccountFacts({ account }: { account: Account }) {
  const t = useTexts();
  const health = useQuery(accountHealthQuery(account.name));
  const own = useQuery(accountLoadQuery()).data?.get(account.name);
  const types = useQuery(instanceTypesQuery()).data?.filter((one) => one.account === '' || one.account === account.name) ?? [];
  return (
    <dl className="facts">
      <dt>{t.setup.health}</dt>
      <dd>
        {health.data?.why !== undefined ? <span className="tone-bad">{health.data.why}</span> : health.data !== undefined && t.setup.answered(health.data.ms)}{' '}
        {health.data !== undefined && <span className="faint"><Ago at={health.data.at} /></span>}{' '}
        <button type="button" className="button quiet" disabled={health.isFetching} onClick={() => void health.refetch()}>
          {t.setup.askAgain}
        </button>
      </dd>
      {account.regions.map((region) => (
        <Fragment key={region.name}>
          <dt>{t.setup.region}</dt>
          <dd>
            <bdi>{region.name}</bdi> <span className="soft">{region.zones.length > 0 && t.setup.zones(region.zones.join(', '))}</span>
          </dd>
        </Fragment>
      ))}
      <dt>{t.setup.runs}</dt>
      <dd>{own === undefined ? t.common.none : t.setup.load(own.groups, own.instances, own.balancers)}</dd>
      <dt>{t.setup.types}</dt>
      <dd>{types.length === 0 ? <span className="soft">{t.setup.noTypes}</span> : types.map((one) => one.name).join(', ')}</dd>
    </dl>
  );
}
