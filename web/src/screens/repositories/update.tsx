// A publication is brought to what its sources hold now: what that means is said first.

import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Publication } from '../../api/overview';
import { update, updateSaid } from '../../api/publish';
import { Dialog, SameAs } from '../../parts/dialog';
import { useTexts } from '../../texts';

export function UpdateDialog({ publication, onClose }: { publication: Publication; onClose: () => void }) {
  const t = useTexts();
  const queries = useQueryClient();
  const going = useMutation({
    mutationFn: () => update(publication),
    onSuccess: async () => {
      await Promise.all(['operations', 'repositories'].map((key) => queries.invalidateQueries({ queryKey: [key] })));
      onClose();
    },
  });
  return (
    <Dialog
      title={t.publish.title(publication.distribution)}
      onClose={onClose}
      foot={
        <>
          {going.error !== null && (
            <span className="grow small tone-bad" role="alert">
              {going.error.message}
            </span>
          )}
          <button type="button" className="button" onClick={onClose}>
            {t.common.close}
          </button>
          <button type="button" className="button primary" disabled={going.isPending} onClick={() => going.mutate()}>
            {t.publish.update}
          </button>
        </>
      }
    >
      <p>{t.publish.says(publication.sources.join(', '))}</p>
      <p className="soft">{publication.signed ? t.publish.signed : t.publish.unsigned}</p>
      <SameAs said={updateSaid(location.origin, publication)} />
    </Dialog>
  );
}
