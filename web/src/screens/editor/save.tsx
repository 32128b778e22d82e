// Saving: what changes, line by line, what the check found, and the same as a command and as a request.

import { useMutation } from '@tanstack/react-query';
import { saveSaid } from '../../api/editor';
import { text } from '../../api/read';
import { CopyButton, Dialog, DialogFoot, SameAs } from '../../parts/dialog';
import { useTexts } from '../../texts';
import { counted, diffLines } from './diff';
import { DiffView } from './diff-view';
import { pretty, type Doc } from './model';

interface Props {
  doc: Doc;
  saved: Doc | undefined;
  errors: number;
  onSave: () => Promise<void>;
  onClose: () => void;
}

export function SaveDialog({ doc, saved, errors, onSave, onClose }: Props) {
  const t = useTexts();
  const saving = useMutation({ mutationFn: onSave, onSuccess: onClose });
  const { added, removed } = counted(diffLines(saved === undefined ? '' : pretty(saved), pretty(doc)));
  return (
    <Dialog
      title={t.editor.saveTitle(text(doc.name) || t.editor.unnamed)}
      onClose={onClose}
      foot={
        <DialogFoot error={saving.error} close={t.common.cancel} onClose={onClose}>
          <button type="button" className="button primary" disabled={saving.isPending} onClick={() => saving.mutate()} data-confirm="save">
            {t.editor.save}
          </button>
        </DialogFoot>
      }
    >
      {errors > 0 && <p className="tone-bad strong">{t.editor.saveErrors(errors)}</p>}
      <p>{saved === undefined ? t.editor.saveNew : t.editor.saveSays(added, removed)}</p>
      <DiffView before={saved} after={doc} />
      <SameAs said={saveSaid(location.origin, doc)} />
      <p className="row small soft">
        {t.editor.copyJson} <CopyButton text={pretty(doc)} />
      </p>
    </Dialog>
  );
}
