// The end of an application: what it still has is named first. What runs must be gone before; the rest can be had back from the history.

import { useMutation, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { remove, removeSaid } from '../../api/application';
import { balancersQuery, pipelinesQuery, serverGroupsQuery } from '../../api/queries';
import { Dialog, DialogFoot, SameAs } from '../../parts/dialog';
import { useTexts } from '../../texts';
import { useRenewal } from './renew';

export function RemovalPart({ application, open, onOpen, onClose }: { application: string; open: boolean; onOpen: () => void; onClose: () => void }) {
  const t = useTexts();
  return (
    <section className="section" aria-labelledby="config-removal">
      <div className="config-head">
        <h2 id="config-removal">{t.config.removal.title}</h2>
        <button type="button" className="button danger" onClick={onOpen} data-delete>
          {t.config.removal.button}
        </button>
      </div>
      <p className="soft small config-says">{t.config.removal.says}</p>
      {open && <RemovalDialog application={application} onClose={onClose} />}
    </section>
  );
}

/** The most names that one part lists. */
const NAMED = 8;

function RemovalDialog({ application, onClose }: { application: string; onClose: () => void }) {
  const t = useTexts();
  const navigate = useNavigate();
  const renew = useRenewal(application);
  const groups = useQuery(serverGroupsQuery(application));
  const balancers = useQuery(balancersQuery(application));
  const pipelines = useQuery(pipelinesQuery(application));
  const known = groups.data !== undefined && balancers.data !== undefined && pipelines.data !== undefined;
  const running = groups.data ?? [];
  const going = useMutation({
    mutationFn: () => remove(application),
    onSuccess: async () => {
      await navigate({ to: '/applications' });
      await renew();
    },
  });
  const empty = known && running.length === 0 && balancers.data.length === 0 && pipelines.data.length === 0;
  const error = going.error ?? groups.error ?? balancers.error ?? pipelines.error;
  return (
    <Dialog
      title={t.config.removal.titleNamed(application)}
      onClose={onClose}
      foot={
        <DialogFoot error={error} close={t.common.cancel} onClose={onClose}>
          <button type="button" className="button danger" disabled={!known || running.length > 0 || going.isPending} onClick={() => going.mutate()} data-confirm="delete">
            {t.config.removal.confirm}
          </button>
        </DialogFoot>
      }
    >
      {empty && <p>{t.config.removal.nothing}</p>}
      {known && !empty && (
        <>
          <p>{t.config.removal.has}</p>
          <Having what={`${t.config.removal.groups(running.length)}, ${t.config.removal.instances(running.reduce((sum, one) => sum + one.instances.length, 0))}`} names={running.map((one) => one.name)} says={t.config.removal.refused} bad />
          <Having what={t.config.removal.balancers(balancers.data.length)} names={balancers.data.map((one) => one.name)} says={t.config.removal.balancersStay} />
          <Having what={t.config.removal.pipelines(pipelines.data.length)} names={pipelines.data.map((one) => one.name)} says={t.config.removal.pipelinesGo} />
        </>
      )}
      <p className="soft small">{t.config.removal.says}</p>
      <SameAs said={removeSaid(location.origin, application)} />
    </Dialog>
  );
}

function Having({ what, names, says, bad }: { what: string; names: string[]; says: string; bad?: boolean }) {
  const t = useTexts();
  if (names.length === 0) return null;
  return (
    <div className="having">
      <p>
        <span className="strong">{what}</span> <span className={bad ? 'small tone-bad' : 'small soft'}>{says}</span>
      </p>
      <p className="small soft">
        <bdi>{names.slice(0, NAMED).join(', ')}</bdi> {names.length > NAMED && t.config.removal.more(names.length - NAMED)}
      </p>
    </div>
  );
}
