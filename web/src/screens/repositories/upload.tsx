// Package files are dropped on a repository, or chosen: what will be added is shown first, then how far it is, then what became of it.

import { useMutation } from '@tanstack/react-query';
import { useRef, useState, type DragEvent, type ReactNode } from 'react';
import { addFiles, addSaid } from '../../api/upload';
import { Dialog, DialogFoot, SameAs } from '../../parts/dialog';
import { useTexts } from '../../texts';
import { useRenewal } from './renew';

/** What a repository takes. */
const TAKEN = '.deb,.udeb,.ddeb,.dsc,.changes,.buildinfo,.gz,.xz,.bz2,.zst,.asc';

/** A place that takes files, and the button for those who do not drag. */
export function DropPlace({ repository, children }: { repository: string; children: (button: ReactNode) => ReactNode }) {
  const t = useTexts();
  const [over, setOver] = useState(false);
  const [files, setFiles] = useState<File[]>([]);
  const input = useRef<HTMLInputElement>(null);
  const holds = (event: DragEvent) => event.dataTransfer.types.includes('Files');
  const button = (
    <>
      <button type="button" className="button" onClick={() => input.current?.click()}>
        {t.upload.choose}
      </button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        accept={TAKEN}
        aria-label={t.upload.choose}
        onChange={(event) => {
          setFiles([...(event.target.files ?? [])]);
          event.target.value = '';
        }}
      />
    </>
  );
  return (
    <div
      className={over ? 'drop-place over' : 'drop-place'}
      onDragOver={(event) => {
        if (!holds(event)) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        if (!holds(event)) return;
        event.preventDefault();
        setOver(false);
        setFiles([...event.dataTransfer.files]);
      }}
    >
      {children(button)}
      {files.length > 0 && <UploadDialog repository={repository} files={files} onClose={() => setFiles([])} />}
    </div>
  );
}

function UploadDialog({ repository, files, onClose }: { repository: string; files: File[]; onClose: () => void }) {
  const t = useTexts();
  const renew = useRenewal();
  const [share, setShare] = useState(0);
  const going = useMutation({
    mutationFn: () => addFiles(repository, files, setShare),
    onSuccess: renew,
  });
  const became = going.data;
  return (
    <Dialog
      title={t.upload.title(repository)}
      onClose={onClose}
      foot={
        <DialogFoot error={going.error} onClose={onClose}>
          {became === undefined && (
            <button type="button" className="button primary" disabled={going.isPending} onClick={() => going.mutate()}>
              {t.upload.add}
            </button>
          )}
        </DialogFoot>
      }
    >
      {became === undefined ? (
        <>
          <ul className="inner-list">
            {files.map((file) => (
              <li key={file.name}>
                <bdi>{file.name}</bdi> <span className="soft small">{t.upload.bytes(file.size)}</span>
              </li>
            ))}
          </ul>
          {going.isPending && <progress className="upload-progress" value={share} aria-label={t.upload.progress} />}
          <SameAs said={addSaid(location.origin, repository, files.map((file) => file.name))} />
        </>
      ) : (
        <div role="status">
          {[...became.added, ...became.removed, ...became.warnings].map((line) => (
            <p key={line}>
              <bdi>{line}</bdi>
            </p>
          ))}
          {became.failed.length > 0 && <p className="tone-bad">{t.upload.failed(became.failed.map((path) => path.split('/').pop() ?? '').join(', '))}</p>}
        </div>
      )}
    </Dialog>
  );
}
