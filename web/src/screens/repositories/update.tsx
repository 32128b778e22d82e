// A publication is brought to what its sources hold now: what that means is said first.

import { useMutation } from '@tanstack/react-query';
import type { Publication } from '../../api/overview';
import { update, updateSaid } from '../../api/publish';
import { Dialog, DialogFoot, SameAs } from '../../parts/dialog';
import { useTexts } from '../../texts';
import { useRenewal } from './renew';

export function UpdateDialog({ publication, onClose }: { publication: Publication; onClose: () => void }) {
  const t = useTexts();
  const renew = useRenewal();
  const going = useMutation({
    mutationFn: () => update(publication),
    onSuccess: async () => {
      await renew();
      onClose();
    },
  });
  return (
    <Dialog
      title={t.publish.title(publication.distribution)}
      onClose={onClose}
      foot={
        <DialogFoot error={going.error} onClose={onClose}>
          <button type="button" className="button primary" disabled={going.isPending} onClick={() => going.mutate()}>
            {t.publish.update}
          </button>
        </DialogFoot>
      }
    >
      <p>{t.publish.says(publication.sources.join(', '))}</p>
      <p className="soft">{publication.signed ? t.publish.signed : t.publish.unsigned}</p>
      <SameAs said={updateSaid(location.origin, publication)} />
    </Dialog>
  );
}
