// The tokens: whose they are and what their bearers may, and how to make one.

import { useQuery } from '@tanstack/react-query';
import { settingsQuery, type Token } from '../../api/accounts';
import { Copyable } from '../../parts/dialog';
import { useTexts } from '../../texts';

const CREATE = 'gennaker token create NAME --role operator';

export function TokensPart() {
  const t = useTexts();
  const tokens = useQuery(settingsQuery()).data?.tokens;
  // A server that says nothing of tokens may have some.
  if (tokens === undefined) return null;
  return (
    <section className="section settings-tokens" aria-labelledby="settings-tokens">
      <h2 id="settings-tokens">{t.setup.tokens}</h2>
      {tokens.length === 0 ? <p data-no-tokens>{t.setup.noTokens}</p> : <Tokens tokens={tokens} />}
      <details open={tokens.length === 0}>
        <summary className="soft small">{t.setup.makeToken}</summary>
        <Copyable label={t.setup.tokenCreate} text={CREATE} />
      </details>
    </section>
  );
}

function Tokens({ tokens }: { tokens: Token[] }) {
  const t = useTexts();
  const roles: Record<string, string> = t.setup.tokenRoles;
  return (
    <table className="rows">
      <thead>
        <tr>
          <th>{t.common.name}</th>
          <th>{t.setup.role}</th>
        </tr>
      </thead>
      <tbody>
        {tokens.map(({ name, role }) => (
          <tr key={name} data-token={name}>
            <td>
              <bdi className="strong">{name}</bdi>
            </td>
            <td>
              {role} {roles[role] !== undefined && <span className="soft">· {roles[role]}</span>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
