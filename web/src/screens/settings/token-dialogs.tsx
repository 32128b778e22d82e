// A new token, which is shown once, and one less.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ROLES, makeFirstToken, makeToken, makeTokenSaid, revokeToken, revokeTokenSaid, type Made, type Role, type Token, type Wanted } from '../../api/tokens';
import { applicationsQuery } from '../../api/queries';
import { Confirm } from '../../parts/confirm';
import { CopyButton, Dialog } from '../../parts/dialog';
import { Choice, Part, TextField } from '../../parts/form';
import { useTexts } from '../../texts';
import { afterwards, may, wrongName } from './tokens';

/** Asks again for the tokens, and as whom the page comes in. */
function useRenewal() {
  const queries = useQueryClient();
  return () => Promise.all(['tokens', 'user'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
}

interface Named extends Made {
  name: string;
}

export function MakeToken({ tokens, onClose }: { tokens: Token[]; onClose: () => void }) {
  const renew = useRenewal();
  // The list knows the new one a moment later.
  const [first] = useState(tokens.length === 0);
  const [made, setMade] = useState<Named>();
  const done = (one: Named) => {
    setMade(one);
    void renew();
  };
  if (made === undefined) return <Wish first={first} tokens={tokens} onMade={done} onClose={onClose} />;
  return <Once made={made} onClose={onClose} />;
}

function Wish({ first, tokens, onMade, onClose }: { first: boolean; tokens: Token[]; onMade: (made: Named) => void; onClose: () => void }) {
  const t = useTexts();
  const applications = useQuery(applicationsQuery()).data ?? [];
  const [given, setGiven] = useState<Wanted>({ name: '', role: first ? 'admin' : 'operator', application: '' });
  const set = (part: Partial<Wanted>) => setGiven({ ...given, ...part });
  // An admin's token is for the whole server.
  const isAdmins = given.role === 'admin';
  const wanted: Wanted = { ...given, name: given.name.trim(), application: isAdmins ? '' : given.application };
  const wrong = wrongName(wanted.name, tokens, t);
  const roles = first ? (['admin'] as const) : ROLES;
  const application = wanted.application === '' ? undefined : wanted.application;
  const act = async () => onMade({ name: wanted.name, ...(await (first ? makeFirstToken : makeToken)(wanted)) });
  return (
    <Confirm title={t.tokens.make} word={t.tokens.make} name="token" kept ready={wrong === undefined} act={act} onDone={() => undefined} onClose={onClose} said={makeTokenSaid(location.origin, wanted)}>
      <Part>
        <TextField label={t.common.name} required value={given.name} help={t.tokens.nameHelp} error={given.name === '' ? undefined : wrong} onChange={(name) => set({ name })} />
        <Choice<Role> label={t.tokens.role} value={given.role} options={roles.map((role) => ({ value: role, word: role }))} help={may({ role: given.role, application }, t)} onChange={(role) => set({ role })} />
        {!isAdmins && (
          <Choice
            label={t.tokens.application}
            value={given.application}
            options={[{ value: '', word: t.tokens.all }, ...applications.map(({ name }) => ({ value: name, word: name }))]}
            onChange={(one) => set({ application: one })}
          />
        )}
      </Part>
      {first && <p data-first>{t.tokens.first}</p>}
    </Confirm>
  );
}

/** The token, this once. */
function Once({ made: { name, token, kept }, onClose }: { made: Named; onClose: () => void }) {
  const t = useTexts();
  const close = (
    <button type="button" className="button primary" onClick={onClose} data-have-it>
      {t.tokens.haveIt}
    </button>
  );
  return (
    <Dialog title={t.tokens.madeTitle(name)} onClose={onClose} kept foot={close}>
      <p>{t.tokens.once}</p>
      <div className="copyable-line">
        <input className="field settings-token" readOnly value={token} aria-label={t.tokens.madeTitle(name)} onFocus={(event) => event.target.select()} data-made-token />
        <CopyButton text={token} />
      </div>
      {kept !== undefined && (
        <p>
          {t.tokens.needed} <span data-kept={kept}>{kept ? t.tokens.kept : t.tokens.asks}</span>
        </p>
      )}
    </Dialog>
  );
}

export function RevokeToken({ name, tokens, me, onClose }: { name: string; tokens: Token[]; me: string | undefined; onClose: () => void }) {
  const t = useTexts();
  const renew = useRenewal();
  const more = afterwards(name, tokens, me, t);
  // Where it was one's own the browser asks for another now: not above a dialog.
  const done = () => {
    onClose();
    void renew();
  };
  return (
    <Confirm title={t.tokens.revokeTitle} word={t.tokens.revoke} name="revoke" danger act={() => revokeToken(name)} onDone={done} onClose={onClose} said={revokeTokenSaid(location.origin, name)}>
      <p>{t.tokens.revokeSays(name)}</p>
      {more !== undefined && <p>{more}</p>}
    </Confirm>
  );
}
