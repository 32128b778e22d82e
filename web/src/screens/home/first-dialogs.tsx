// What the cards of the first start make is said first: a repository from files, or the sample.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { makeRepository, makeRepositorySaid, makeSample, makeSampleSaid } from '../../api/first';
import { Confirm } from '../../parts/confirm';
import { Dialog, DialogFoot, SameAs } from '../../parts/dialog';
import { entered } from '../../parts/enter';
import { useTexts } from '../../texts';

const NAME = /^[A-Za-z0-9][A-Za-z0-9.\-+_]*$/;

export function DropDialog({ files, onClose, onDone }: { files: File[]; onClose: () => void; onDone: () => void }) {
  const t = useTexts();
  const queries = useQueryClient();
  const [name, setName] = useState('main');
  const [share, setShare] = useState(0);
  const good = NAME.test(name);
  const going = useMutation({
    mutationFn: () => makeRepository(name, files, setShare),
    onSuccess: async ({ failed }) => {
      if (failed.length > 0) return;
      onDone();
      await queries.invalidateQueries();
    },
  });
  const failed = going.data?.failed ?? [];
  const go = () => {
    if (good && !going.isPending && going.data === undefined) going.mutate();
  };
  return (
    <Dialog
      title={t.first.dropTitle}
      onClose={onClose}
      foot={
        <DialogFoot error={going.error} close={t.common.cancel} onClose={failed.length > 0 ? onDone : onClose}>
          <button type="button" className="button primary" disabled={!good || going.isPending || going.data !== undefined} onClick={go} data-confirm="repository">
            {t.first.make}
          </button>
        </DialogFoot>
      }
    >
      <label className="form-field">
        <span className="small soft">{t.first.repository}</span>
        <input className="field" value={name} spellCheck={false} aria-invalid={!good} onChange={(event) => setName(event.target.value)} onKeyDown={(event) => entered(event) && go()} />
        {!good && <span className="small tone-bad">{t.first.badName}</span>}
      </label>
      <p>{t.first.makes}</p>
      <ul className="inner-list">
        {files.map((file) => (
          <li key={file.name}>
            <bdi>{file.name}</bdi> <span className="soft small">{t.upload.bytes(file.size)}</span>
          </li>
        ))}
      </ul>
      {going.isPending && <progress className="first-progress" value={share} aria-label={t.upload.progress} />}
      {failed.length > 0 && <p className="tone-bad">{t.upload.failed(failed.map((path) => path.split('/').pop() ?? '').join(', '))}</p>}
      <SameAs said={makeRepositorySaid(location.origin, name, files.map((file) => file.name))} />
    </Dialog>
  );
}

export function SampleDialog({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const t = useTexts();
  const queries = useQueryClient();
  const made = () => {
    onDone();
    return queries.invalidateQueries();
  };
  return (
    <Confirm title={t.first.sampleTitle} word={t.first.sampleButton} name="sample" act={() => makeSample(t.first)} onDone={made} onClose={onClose} said={makeSampleSaid(location.origin, t.first)}>
      <p>{t.first.sampleMakes}</p>
      <ul className="first-list">
        <li>{t.first.sampleApplication}</li>
        <li>{t.first.samplePipeline}</li>
      </ul>
    </Confirm>
  );
}
