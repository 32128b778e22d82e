// A project made or changed: its applications, the pipelines and clusters that its dashboard shows.

import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { accountsQuery } from '../../api/accounts';
import { pipelineNamesQuery, saveProject, saveProjectSaid, type Project } from '../../api/projects';
import { applicationsQuery } from '../../api/queries';
import { Dialog, DialogFoot, SameAs } from '../../parts/dialog';
import { entered } from '../../parts/enter';
import { Part, TextField } from '../../parts/form';
import { useTexts } from '../../texts';
import { ClusterFields } from './cluster-fields';
import { Picker } from './picker';
import { differs, withApplication, withPipeline, wrongIn } from './project';

interface Props {
  project: Project;
  all: Project[];
  onClose: () => void;
  onSaved: (name: string) => Promise<void>;
}

export function ProjectDialog({ project, all, onClose, onSaved }: Props) {
  const t = useTexts();
  const queries = useQueryClient();
  const applications = useQuery(applicationsQuery()).data ?? [];
  const pipelines = useQuery(pipelineNamesQuery()).data ?? [];
  const accounts = useQuery(accountsQuery()).data ?? [];
  const [next, setNext] = useState(project);
  const wrong = wrongIn(next, all);
  const ready = wrong === undefined && differs(next, project);
  const going = useMutation({
    mutationFn: () => saveProject(next),
    onSuccess: async () => {
      // Away from the old name first: under it there is nothing any more.
      await onSaved(next.name.trim());
      await Promise.all([['projects'], ['project-clusters'], ['runs', 'project']].map((queryKey) => queries.invalidateQueries({ queryKey })));
    },
  });
  const go = () => {
    if (ready && !going.isPending) going.mutate();
  };
  const own = pipelines.filter((one) => next.applications.includes(one.application));
  return (
    <Dialog
      title={project.id === '' ? t.projects.make : t.projects.editing(project.name)}
      onClose={onClose}
      foot={
        <DialogFoot error={going.error} close={t.common.cancel} onClose={onClose}>
          <button type="button" className="button primary" disabled={!ready || going.isPending} onClick={go} data-confirm="save">
            {t.config.save}
          </button>
        </DialogFoot>
      }
    >
      <div onKeyDown={(event) => entered(event) && go()}>
        <Part>
          <TextField label={t.common.name} value={next.name} error={wrong === 'taken' ? t.projects.taken : undefined} onChange={(name) => setNext({ ...next, name })} />
          <TextField label={t.config.names.email} type="email" value={next.email} onChange={(email) => setNext({ ...next, email })} />
        </Part>
      </div>
      <Picker
        title={t.projects.applications}
        none={t.applications.empty}
        options={applications.map((one) => ({ key: one.name, word: one.name, beside: one.description ?? '' }))}
        chosen={next.applications}
        onPick={(key, inside) => setNext(withApplication(next, key, inside))}
      />
      <Picker
        title={t.projects.pipelines}
        none={t.projects.noPipelines}
        options={own.map((one) => ({ key: one.id, word: one.name, beside: one.application }))}
        chosen={next.pipelines.map((one) => one.id)}
        onPick={(key, inside) => {
          const found = own.find((one) => one.id === key);
          if (found !== undefined) setNext(withPipeline(next, found, inside));
        }}
      />
      <ClusterFields project={next} accounts={accounts} onChange={setNext} />
      {ready && <SameAs said={saveProjectSaid(location.origin, next)} />}
    </Dialog>
  );
}
