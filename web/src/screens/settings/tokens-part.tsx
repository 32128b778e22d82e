// The tokens: whose they are and what their bearers may, a new one, and one less.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { userQuery } from '../../api/accounts';
import { Refused } from '../../api/client';
import { tokensQuery, type Token } from '../../api/tokens';
import { Answered } from '../../parts/answers';
import { Copyable } from '../../parts/dialog';
import { TableBox } from '../../parts/table-box';
import { Ago } from '../../parts/when';
import { useTexts } from '../../texts';
import { MakeToken, RevokeToken } from './token-dialogs';
import { may } from './tokens';

const CREATE = 'gennaker token create NAME --role operator';

type Open = { what: 'make' } | { what: 'revoke'; name: string };

export function TokensPart() {
  const t = useTexts();
  const tokens = useQuery(tokensQuery());
  const me = useQuery(userQuery()).data;
  const [open, setOpen] = useState<Open>();
  // Whose token is for one application is not told of the others'.
  if (tokens.data === undefined && tokens.error instanceof Refused && tokens.error.status === 403) return null;
  const close = () => setOpen(undefined);
  return (
    <section className="section settings-tokens" aria-labelledby="settings-tokens">
      <h2 id="settings-tokens">{t.tokens.title}</h2>
      <Answered query={tokens}>
        {(all) => (
          <>
            {all.length === 0 ? <p data-no-tokens>{t.tokens.none}</p> : <Tokens tokens={all} onRevoke={me?.admin === true ? (name) => setOpen({ what: 'revoke', name }) : undefined} />}
            {me?.admin === true && (
              <button type="button" className="button" onClick={() => setOpen({ what: 'make' })} data-make-token>
                {t.tokens.make}
              </button>
            )}
            <details>
              <summary className="soft small">{t.tokens.how}</summary>
              <Copyable label={t.tokens.command} text={CREATE} />
            </details>
          </>
        )}
      </Answered>
      {open?.what === 'make' && <MakeToken tokens={tokens.data ?? []} onClose={close} />}
      {open?.what === 'revoke' && <RevokeToken name={open.name} tokens={tokens.data ?? []} me={me?.name} onClose={close} />}
    </section>
  );
}

function Tokens({ tokens, onRevoke }: { tokens: Token[]; onRevoke: ((name: string) => void) | undefined }) {
  const t = useTexts();
  return (
    <TableBox label={t.tokens.title}>
      <table className="rows">
        <thead>
          <tr>
            <th>{t.common.name}</th>
            <th>{t.tokens.role}</th>
            <th>{t.tokens.of}</th>
            <th>{t.tokens.made}</th>
            {onRevoke !== undefined && <th aria-label={t.tokens.revoke} />}
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => (
            <Row key={token.name} token={token} onRevoke={onRevoke} />
          ))}
        </tbody>
      </table>
    </TableBox>
  );
}

function Row({ token, onRevoke }: { token: Token; onRevoke: ((name: string) => void) | undefined }) {
  const t = useTexts();
  const { name, role, application, publication, repository, made } = token;
  const words = may(token, t);
  return (
    <tr data-token={name}>
      <td>
        <bdi className="strong">{name}</bdi>
      </td>
      <td>
        {role} {words !== undefined && <span className="soft">· {words}</span>}
      </td>
      <td>
        {publication !== undefined ? (
          <bdi>{t.tokens.publication(publication)}</bdi>
        ) : repository !== undefined ? (
          <bdi>{t.tokens.repository(repository)}</bdi>
        ) : application === undefined ? (
          <span className="soft">{t.tokens.all}</span>
        ) : (
          <Link className="strong" to="/applications/$application/pipelines" params={{ application }}>
            <bdi>{application}</bdi>
          </Link>
        )}
      </td>
      <td className="soft">
        {made === undefined ? (
          t.tokens.inFile
        ) : (
          <>
            <Ago at={made.at} /> <bdi>{t.pipelines.by(made.who)}</bdi>
          </>
        )}
      </td>
      {onRevoke !== undefined && (
        <td className="number">
          {made !== undefined && (
            <button type="button" className="button quiet" aria-label={t.tokens.revokeOf(name)} onClick={() => onRevoke(name)} data-revoke={name}>
              {t.tokens.revoke}
            </button>
          )}
        </td>
      )}
    </tr>
  );
}
