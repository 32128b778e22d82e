// Creating an application: a name, an owner, a sentence.

import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Part, TextField } from '../../parts/form';
import { JobDialog } from '../../parts/job-dialog';
import { useTexts } from '../../texts';
import { creation, keptAs, problemsOfNew, type NewApplication } from './naming';

export function CreateApplication({ taken, onClose }: { taken: string[]; onClose: () => void }) {
  const t = useTexts();
  const [draft, setDraft] = useState<NewApplication>({ name: '', email: '', description: '' });
  // Those that were there when it was opened: the new one is no hindrance to itself.
  const [before] = useState(taken);
  const name = keptAs(draft.name);
  const help = name.includes('-') ? t.newApplication.hyphen : name !== draft.name.trim() ? t.newApplication.kept(name) : t.newApplication.nameHelp;
  return (
    <JobDialog
      title={t.newApplication.title}
      verb={t.wizards.create}
      asked={creation(draft)}
      problems={problemsOfNew(draft, before, t)}
      onClose={onClose}
      beneath={(task) =>
        task?.status === 'SUCCEEDED' && (
          <p className="next">
            <Link className="button primary" to="/applications/$application/load-balancers" params={{ application: name }} search={{ do: 'create' }}>
              {t.newApplication.next}
            </Link>
            <Link className="button" to="/applications/$application/pipelines" params={{ application: name }}>
              {t.newApplication.open(name)}
            </Link>
          </p>
        )
      }
    >
      {(say) => (
        <>
          <Part>
            <TextField label={t.common.name} required value={draft.name} help={help} error={say('name')} onChange={(value) => setDraft({ ...draft, name: value })} />
            <TextField label={t.newApplication.email} required type="email" value={draft.email} error={say('email')} onChange={(email) => setDraft({ ...draft, email })} />
            <TextField wide label={t.newApplication.description} value={draft.description} help={t.newApplication.descriptionHelp} onChange={(description) => setDraft({ ...draft, description })} />
          </Part>
          <p className="form-sum">{t.newApplication.will(name === '' ? '…' : name)}</p>
        </>
      )}
    </JobDialog>
  );
}
