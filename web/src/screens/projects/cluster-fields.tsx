// The clusters that a project's dashboard shows: an account with a stack and a detail, of some or all of its applications.

import type { Account } from '../../api/accounts';
import type { Project } from '../../api/projects';
import { Choice, TextField } from '../../parts/form';
import { Draw } from '../../parts/icons';
import { useTexts } from '../../texts';
import { withCluster } from './project';

const named = (names: string[]) => names.map((name) => ({ value: name, word: name }));

export function ClusterFields({ project, accounts, onChange }: { project: Project; accounts: Account[]; onChange: (project: Project) => void }) {
  const t = useTexts();
  const add = () => onChange({ ...project, clusters: [...project.clusters, { account: accounts[0]?.name ?? '', stack: '*', detail: '*', applications: [] }] });
  return (
    <fieldset className="picker" data-picker={t.projects.clusters}>
      <legend>{t.projects.clusters}</legend>
      <p className="faint small">{t.config.guards.star}</p>
      {project.clusters.map((one, at) => {
        const names = [...new Set([...accounts.map((account) => account.name), one.account])].filter((name) => name !== '');
        const set = (part: Partial<typeof one>) => onChange(withCluster(project, at, part));
        return (
          <div key={at} className="cluster-fields">
            <Choice label={t.config.guards.account} value={one.account} options={named(names)} onChange={(account) => set({ account })} />
            <TextField label={t.config.guards.stack} value={one.stack} onChange={(stack) => set({ stack: stack.trim() })} />
            <TextField label={t.config.guards.detail} value={one.detail} onChange={(detail) => set({ detail: detail.trim() })} />
            <Choice
              label={t.projects.of}
              value={one.applications[0] ?? ''}
              options={[{ value: '', word: t.projects.allApplications }, ...named(project.applications)]}
              onChange={(name) => set({ applications: name === '' ? [] : [name] })}
            />
            <button type="button" className="button quiet" aria-label={t.projects.removeCluster(at + 1)} onClick={() => onChange(withCluster(project, at, undefined))}>
              <Draw what="close" />
            </button>
          </div>
        );
      })}
      <button type="button" className="button" onClick={add} data-add-cluster>
        {t.projects.addCluster}
      </button>
    </fieldset>
  );
}
