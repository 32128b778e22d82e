// What runs in a project's clusters: of each application and region the instances by state, the image, and the last push.

import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { projectClustersQuery, type Counts, type Project, type ShownCluster } from '../../api/projects';
import { Answered } from '../../parts/answers';
import { Mark } from '../../parts/mark';
import { Ago } from '../../parts/when';
import { useTexts } from '../../texts';
import { clusterWord } from './project';

export function ClustersPart({ project }: { project: Project }) {
  const t = useTexts();
  const clusters = useQuery(projectClustersQuery(project.name));
  return (
    <section className="section" aria-labelledby="project-clusters">
      <h2 id="project-clusters">{t.projects.clusters}</h2>
      {project.clusters.length === 0 ? (
        <p className="soft small">{t.projects.noClusters}</p>
      ) : (
        <Answered query={clusters}>{(all) => all.map((one, at) => <ClusterTable key={at} cluster={one} />)}</Answered>
      )}
    </section>
  );
}

function ClusterTable({ cluster }: { cluster: ShownCluster }) {
  const t = useTexts();
  const word = clusterWord(cluster);
  const running = cluster.applications.filter((one) => one.regions.length > 0);
  const idle = cluster.applications.filter((one) => one.regions.length === 0);
  return (
    <div className="project-cluster" data-cluster={`${cluster.account}/${word}`}>
      <h3>
        <bdi>{cluster.account}</bdi>
        {word !== '' && (
          <>
            {' '}
            / <bdi>{word}</bdi>
          </>
        )}
        <span className="project-total">
          <States counts={cluster.counts} />
        </span>
      </h3>
      <table className="rows">
        <thead>
          <tr>
            <th>{t.projects.application}</th>
            <th className="wide-only">{t.setup.region}</th>
            <th>{t.setup.instances}</th>
            <th className="wide-only">{t.projects.images}</th>
            <th className="number">{t.projects.pushed}</th>
          </tr>
        </thead>
        <tbody>
          {running.flatMap(({ application, regions }) =>
            regions.map((region) => (
              <tr key={`${application} ${region.region}`}>
                <td>
                  <Link className="strong" to="/applications/$application/clusters" params={{ application }}>
                    <bdi>{application}</bdi>
                  </Link>
                </td>
                <td className="soft wide-only">{region.region}</td>
                <td>
                  <States counts={region.counts} />
                </td>
                <td className="soft wide-only project-images">{region.images.map((image) => <Image key={image} image={image} />)}</td>
                <td className="number soft">
                  <Ago at={region.pushed} />
                </td>
              </tr>
            )),
          )}
          {idle.length > 0 && (
            <tr>
              <td colSpan={5} className="soft">
                {t.projects.idle(idle.length)} <bdi className="small">{idle.map((one) => one.application).join(', ')}</bdi>
              </td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

/** The end of an image's name says more than its beginning. */
function Image({ image }: { image: string }) {
  return (
    <span className="cut" title={image}>
      <bdi>{image.split('/').pop()}</bdi>
    </span>
  );
}

function States({ counts }: { counts: Counts }) {
  const t = useTexts();
  if (counts.total === 0) return <span className="faint">{t.projects.nothingRuns}</span>;
  return (
    <span className="project-states">
      {counts.up > 0 && <Mark said={{ tone: 'well', word: `${counts.up} ${t.status.up}` }} />}
      {counts.down > 0 && <Mark said={{ tone: 'bad', word: t.status.someDown(counts.down) }} />}
      {counts.starting > 0 && <Mark said={{ tone: 'starting', word: t.status.someStarting(counts.starting) }} />}
      {counts.outOfService > 0 && <Mark said={{ tone: 'notrun', word: `${counts.outOfService} ${t.status.outOfService}` }} />}
      {counts.unknown > 0 && <Mark said={{ tone: 'starting', word: `${counts.unknown} ${t.status.unknown}` }} />}
    </span>
  );
}
