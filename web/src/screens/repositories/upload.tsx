// Package files are dropped on a repository, or chosen: what will be added is shown first, then how far it is, then what became of it.

import { useMutation } from '@tanstack/react-query';
import { useState, type ReactNode } from 'react';
import { addFiles, addSaid } from '../../api/upload';
import { Dialog, DialogFoot, SameAs } from '../../parts/dialog';
import { DropPlace, FileList, NotTaken } from '../../parts/drop';
import { useTexts } from '../../texts';
import { useRenewal } from './renew';

export function RepositoryDrop({ repository, children }: { repository: string; children: (button: ReactNode) => ReactNode }) {
  const t = useTexts();
  const [files, setFiles] = useState<File[]>([]);
  return (
    <>
      <DropPlace className="drop-place" button="button" word={t.upload.choose} onFiles={setFiles}>
        {children}
      </DropPlace>
      {files.length > 0 && <UploadDialog repository={repository} files={files} onClose={() => setFiles([])} />}
    </>
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
          <FileList files={files} />
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
          <NotTaken paths={became.failed} />
        </div>
      )}
    </Dialog>
  );
}
