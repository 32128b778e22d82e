// What the cards of the first start make is said first: a repository from files, or the sample.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { makeRepository, makeRepositorySaid, makeSample, makeSampleSaid } from '../../api/first';
import { Confirm } from '../../parts/confirm';
import { Dialog, DialogFoot, SameAs } from '../../parts/dialog';
import { FileList, NotTaken } from '../../parts/drop';
import { entered } from '../../parts/enter';
import { TextField } from '../../parts/form';
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
      <div onKeyDown={(event) => event.target instanceof HTMLInputElement && entered(event) && go()}>
        <TextField label={t.first.repository} value={name} error={good ? undefined : t.first.badName} onChange={setName} />
      </div>
      <p>{t.first.makes}</p>
      <FileList files={files} />
      {going.isPending && <progress className="first-progress" value={share} aria-label={t.upload.progress} />}
      <NotTaken paths={failed} />
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
