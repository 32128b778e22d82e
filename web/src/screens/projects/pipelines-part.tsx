// A project's pipelines: of each the last runs as marks, the newest first, each a link; and since when the newest runs or ran.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { Execution } from '../../api/execution';
import { pipelineNamesQuery, projectRunsQuery, type Project } from '../../api/projects';
import { Answered } from '../../parts/answers';
import { Mark } from '../../parts/mark';
import { whyRun } from '../../parts/reason';
import { startedBy } from '../../parts/started';
import { ofRun } from '../../parts/status';
import { Ago } from '../../parts/when';
import { useTexts } from '../../texts';
import { runsOf } from './project';

export function PipelinesPart({ project }: { project: Project }) {
  const t = useTexts();
  const runs = useQuery(projectRunsQuery(project.name));
  const names = useQuery(pipelineNamesQuery()).data ?? [];
  return (
    <section className="section" aria-labelledby="project-pipelines">
      <h2 id="project-pipelines">{t.projects.pipelines}</h2>
      {project.pipelines.length === 0 ? (
        <p className="soft small">{t.projects.noPipelinesShown}</p>
      ) : (
        <Answered query={runs}>
          {(all) => (
            <ul className="project-pipelines">
              {project.pipelines.map((one) => (
                <PipelineLine key={one.id} application={one.application} name={names.find((known) => known.id === one.id)?.name} runs={runsOf(all, one.id)} />
              ))}
            </ul>
          )}
        </Answered>
      )}
    </section>
  );
}

function PipelineLine({ application, name, runs }: { application: string; name: string | undefined; runs: Execution[] }) {
  const t = useTexts();
  const [newest, ...older] = runs;
  const shown = name ?? newest?.name;
  return (
    <li className="project-pipeline" data-pipeline={shown}>
      <span className="project-what">
        {shown === undefined ? (
          <span className="faint">{t.projects.gone}</span>
        ) : (
          <Link className="strong" to="/applications/$application/pipelines" params={{ application }} search={{ pipeline: shown }}>
            <bdi>{shown}</bdi>
          </Link>
        )}
        <span className="soft small">
          <bdi>{application}</bdi>
        </span>
      </span>
      {newest === undefined ? (
        <span className="faint small">{t.pipelines.noRuns}</span>
      ) : (
        <>
          <Link className="project-newest" to="/applications/$application/runs/$run" params={{ application, run: newest.id }}>
            <Mark said={ofRun(newest, t)} />
            <span className="soft small cut">{whyRun(newest) ?? startedBy(newest.trigger, newest.user, t)}</span>
          </Link>
          <span className="project-older" role="group" aria-label={t.projects.before}>
            {older.map((run) => (
              <Link key={run.id} className="project-mark" to="/applications/$application/runs/$run" params={{ application, run: run.id }}>
                <Mark said={ofRun(run, t)} bare />
              </Link>
            ))}
          </span>
          <span className="faint small project-when">
            <Ago at={newest.endTime ?? newest.startTime ?? newest.buildTime} />
          </span>
        </>
      )}
    </li>
  );
}
