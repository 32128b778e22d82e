// A package file becomes a service: what would be made is shown first, and may be changed; then it is made, and its run is opened.

import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { accountsQuery } from '../../api/accounts';
import { NO_WISH, forgetPackage, goUp, sendPackage, upPlanQuery, upSaid, type Up, type UpWish } from '../../api/up';
import { Dialog, DialogFoot, SameAs } from '../../parts/dialog';
import { entered } from '../../parts/enter';
import { Choice, NumberField, Part, TextField } from '../../parts/form';
import { useLater } from '../../parts/later';
import { numeric, problemsOf } from '../../parts/problems';
import { wordOf } from '../../parts/word';
import { useTexts } from '../../texts';

interface Props {
  file: File;
  onClose: () => void;
  /** A repository alone is wanted. */
  onRepository: () => void;
  onDone: (up: Up) => void;
}

export function UpDialog({ file, onClose, onRepository, onDone }: Props) {
  const t = useTexts();
  const queries = useQueryClient();
  const [wish, setWish] = useState<UpWish>(NO_WISH);
  const [share, setShare] = useState(0);
  const sending = useMutation({ mutationFn: () => sendPackage(file, setShare) });
  const { mutate: send } = sending;
  useEffect(() => send(), [send]);
  const upload = sending.data;
  const accounts = useQuery(accountsQuery()).data?.map((one) => one.name) ?? [];
  const asked = useLater(wish, 300);
  const count = { min: 1, whole: true, optional: true };
  const wrong = problemsOf({ port: numeric(wish.port, { ...count, max: 65535 }, t), instances: numeric(wish.instances, { ...count, max: 1000 }, t) });
  const good = Object.keys(wrong).length === 0;
  const going = useMutation({
    mutationFn: () => goUp(upload ?? '', wish),
    onSuccess: async (up) => {
      onDone(up);
      // The upload is used up: nobody can plan with it again.
      await queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'up' });
    },
  });
  const wanted = upload !== undefined && good && asked === wish && !going.isPending && !going.isSuccess;
  const plan = useQuery({ ...upPlanQuery(upload ?? '', asked), enabled: wanted, placeholderData: keepPreviousData });
  const ready = good && plan.isSuccess && plan.data.refused === undefined && asked === wish && !plan.isPlaceholderData;
  const why = sending.error?.message ?? plan.error?.message ?? plan.data?.refused;
  const go = () => {
    if (ready && !going.isPending) going.mutate();
  };
  const leave = (then: () => void) => {
    // What was sent is not needed any more; if it stays, it is among the uploads.
    if (upload !== undefined && !going.isPending) void forgetPackage(upload).catch(() => undefined);
    then();
  };
  const set = (key: keyof UpWish) => (value: string) => setWish({ ...wish, [key]: value.trim() });
  return (
    <Dialog
      title={t.up.title(file.name)}
      kept
      onClose={() => leave(onClose)}
      foot={
        <DialogFoot error={going.error} close={t.common.cancel} onClose={() => leave(onClose)}>
          <button type="button" className="button" disabled={going.isPending} onClick={() => leave(onRepository)} data-repository>
            {t.up.repository}
          </button>
          <button type="button" className="button primary" disabled={!ready || going.isPending} onClick={go} data-confirm="up">
            {t.up.go}
          </button>
        </DialogFoot>
      }
    >
      <div className="form" onKeyDown={(event) => event.target instanceof HTMLInputElement && entered(event) && go()}>
        {sending.isPending && <progress className="first-progress" value={share} aria-label={t.upload.progress} />}
        {why !== undefined && (
          <p className="why tone-edge-bad" role="alert">
            <bdi>{why}</bdi>
          </p>
        )}
        <Part>
          <TextField label={t.up.name} value={wish.name} placeholder={plan.data?.application ?? ''} onChange={set('name')} />
          <NumberField label={t.up.port} value={wish.port} placeholder="8080" error={wrong.port?.why} onChange={set('port')} />
          <TextField label={t.up.check} help={t.up.checkHelp} value={wish.check} placeholder="/" onChange={set('check')} />
          <NumberField label={t.up.instances} value={wish.instances} placeholder="2" error={wrong.instances?.why} onChange={set('instances')} />
          {accounts.length > 1 && <Choice label={t.wizards.account} value={wish.account || (plan.data?.account ?? accounts[0] ?? '')} options={accounts.map((value) => ({ value, word: value }))} onChange={set('account')} />}
        </Part>
        {plan.data !== undefined && plan.data.refused === undefined && <Steps up={plan.data} />}
      </div>
      <SameAs said={upSaid(location.origin, file.name, wish)} />
    </Dialog>
  );
}

/** What becomes of each object. */
function Steps({ up }: { up: Up }) {
  const t = useTexts();
  return (
    <table className="rows" data-plan={up.package}>
      <caption className="small soft">{t.up.plan}</caption>
      <tbody>
        {up.steps.map((step) => (
          <tr key={step.what}>
            <th scope="row">{wordOf(t.up.what, step.what) ?? step.what}</th>
            <td>
              <bdi>{step.name}</bdi>
            </td>
            <td>{t.up.fate[step.fate]}</td>
            <td className="soft small wide-only">
              <bdi>{step.says}</bdi>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
