// The clusters that a project's dashboard shows: an account with a stack and a detail, of some or all of its applications.

import type { Account } from '../../api/accounts';
import type { Project } from '../../api/projects';
import { Draw } from '../../parts/icons';
import { useTexts } from '../../texts';
import { withCluster } from './project';

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
            <label className="form-field">
              <span className="small soft">{t.config.guards.account}</span>
              <select className="field" value={one.account} onChange={(event) => set({ account: event.target.value })}>
                {names.map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            </label>
            <label className="form-field">
              <span className="small soft">{t.config.guards.stack}</span>
              <input className="field" value={one.stack} spellCheck={false} onChange={(event) => set({ stack: event.target.value.trim() })} />
            </label>
            <label className="form-field">
              <span className="small soft">{t.config.guards.detail}</span>
              <input className="field" value={one.detail} spellCheck={false} onChange={(event) => set({ detail: event.target.value.trim() })} />
            </label>
            <label className="form-field">
              <span className="small soft">{t.projects.of}</span>
              <select className="field" value={one.applications[0] ?? ''} onChange={(event) => set({ applications: event.target.value === '' ? [] : [event.target.value] })}>
                <option value="">{t.projects.allApplications}</option>
                {project.applications.map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            </label>
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
