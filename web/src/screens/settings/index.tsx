// Settings: how this page speaks and looks on this machine, who one is, the server, the accounts that can be deployed to,
// and who has a token.

import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { userQuery } from '../../api/accounts';
import { Answered } from '../../parts/answers';
import { useTexts } from '../../texts';
import { AccountsPart } from './accounts-part';
import { ChoicesPart } from './choices-part';
import { ServerPart } from './server-part';
import { TokensPart } from './tokens-part';
import './settings.css';

const route = getRouteApi('/settings');

export function SettingsScreen() {
  const t = useTexts();
  const { account } = route.useSearch();
  const navigate = route.useNavigate();
  const user = useQuery(userQuery());
  return (
    <div className="screen settings">
      <div className="screen-head">
        <h1>{t.setup.title}</h1>
      </div>
      <div className="settings-columns">
        <ChoicesPart />
        <section className="section" aria-labelledby="settings-me">
          <h2 id="settings-me">{t.setup.me}</h2>
          <Answered query={user}>
            {(me) => (
              <dl className="facts">
                <dt>{t.common.name}</dt>
                <dd data-user={me.name}>
                  <bdi>{me.name}</bdi>
                </dd>
                <dt>{t.setup.roles}</dt>
                <dd>{me.roles.join(', ') || t.common.none}</dd>
                <dt>{t.setup.mayDeploy}</dt>
                <dd>{me.accounts.join(', ') || t.common.none}</dd>
              </dl>
            )}
          </Answered>
        </section>
        <ServerPart />
      </div>
      <AccountsPart chosen={account} onChoose={(next) => void navigate({ search: next === undefined ? {} : { account: next }, replace: true })} />
      <TokensPart />
    </div>
  );
}
