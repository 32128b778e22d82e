// The dashboard of a project: its pipelines with their last runs, what runs in its clusters, its applications.

import { useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { deleteProject, deleteProjectSaid, projectQuery, projectsQuery, type Project } from '../../api/projects';
import { Answered } from '../../parts/answers';
import { Confirm } from '../../parts/confirm';
import { useTexts } from '../../texts';
import { ClustersPart } from './clusters-part';
import { ProjectDialog } from './edit';
import { PipelinesPart } from './pipelines-part';
import './projects.css';

const route = getRouteApi('/projects/$project');

export function ProjectScreen() {
  const t = useTexts();
  const { project: name } = route.useParams();
  const { edit } = route.useSearch();
  const navigate = route.useNavigate();
  const project = useQuery(projectQuery(name));
  const all = useQuery({ ...projectsQuery(), enabled: edit === 'project' });
  const close = () => void navigate({ search: {} });
  return (
    <div className="screen project">
      <div className="screen-head">
        <h1 className="grow">
          <Link to="/projects" className="soft project-back">
            {t.projects.title}
          </Link>{' '}
          <span className="faint">/</span> <bdi>{project.data?.name ?? name}</bdi>
        </h1>
        {project.data !== undefined && (
          <>
            <span className="soft small project-owner">
              <bdi>{project.data.email}</bdi>
            </span>
            <button type="button" className="button" onClick={() => void navigate({ search: { edit: 'project' } })} data-edit>
              {t.config.edit}
            </button>
            <button type="button" className="button danger" onClick={() => void navigate({ search: { edit: 'delete' } })}>
              {t.config.removal.button}
            </button>
          </>
        )}
      </div>
      <Answered query={project}>
        {(one) => (
          <>
            <PipelinesPart project={one} />
            <ClustersPart project={one} />
            <section className="section" aria-labelledby="project-applications">
              <h2 id="project-applications">{t.projects.applications}</h2>
              {one.applications.length === 0 ? (
                <p className="soft small">{t.projects.noApplications}</p>
              ) : (
                <ul className="project-applications">
                  {one.applications.map((application) => (
                    <li key={application}>
                      <Link className="strong" to="/applications/$application/pipelines" params={{ application }}>
                        <bdi>{application}</bdi>
                      </Link>
                      <Link className="word small" to="/applications/$application/clusters" params={{ application }}>
                        {t.tabs.clusters}
                      </Link>
                    </li>
                  ))}
                </ul>
              )}
            </section>
            {edit === 'project' && all.data !== undefined && (
              <ProjectDialog
                project={one}
                all={all.data}
                onClose={close}
                onSaved={(saved) => navigate({ to: '/projects/$project', params: { project: saved }, search: {}, replace: true })}
              />
            )}
            {edit === 'delete' && <DeleteDialog project={one} onClose={close} />}
          </>
        )}
      </Answered>
    </div>
  );
}

function DeleteDialog({ project, onClose }: { project: Project; onClose: () => void }) {
  const t = useTexts();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const gone = async () => {
    await navigate({ to: '/projects' });
    await queries.invalidateQueries({ queryKey: ['projects'], exact: true });
  };
  return (
    <Confirm
      title={t.config.removal.titleNamed(project.name)}
      word={t.config.removal.confirm}
      name="delete"
      danger
      act={() => deleteProject(project)}
      onDone={gone}
      onClose={onClose}
      said={deleteProjectSaid(location.origin, project)}
    >
      <p>{t.projects.deleteSays(project.applications.length, project.pipelines.length)}</p>
      {project.applications.length > 0 && (
        <p className="soft">
          <bdi>{project.applications.join(', ')}</bdi>
        </p>
      )}
    </Confirm>
  );
}
