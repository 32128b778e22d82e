// A publication is brought to what its sources hold now: what that means is said first.

import { update } from '../../api/publish';
import type { Publication } from '../../api/repositories';
import { useTexts } from '../../texts';
import { DoingDialog } from './doing';

export function UpdateDialog({ publication, onClose }: { publication: Publication; onClose: () => void }) {
  const t = useTexts();
  return (
    <DoingDialog title={t.publish.title(publication.distribution)} word={t.publish.update} doing={update(publication)} onClose={onClose}>
      <p>{t.publish.says(publication.sources.join(', '))}</p>
      <p className="soft">{publication.signed ? t.publish.signed : t.publish.unsigned}</p>
    </DoingDialog>
  );
}
