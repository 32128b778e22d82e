import { count } from './count';

export const projects = {
  projects: {
    title: 'Projects',
    filter: 'Filter projects',
    make: 'Make a project',
    editing: (name: string) => `Edit ${name}`,
    empty: 'There is no project yet. A project shows applications, clusters and pipelines that belong together on one screen.',
    applications: 'Applications',
    application: 'Application',
    pipelines: 'Pipelines',
    clusters: 'Clusters',
    taken: 'Another project has this name.',
    noPipelines: 'The chosen applications have no pipeline.',
    noPipelinesShown: 'This project shows no pipeline. Edit it to choose some.',
    noClusters: 'This project shows no cluster. Edit it to choose some.',
    noApplications: 'This project has no application. Edit it to choose some.',
    addCluster: 'Add clusters',
    removeCluster: (n: number) => `Remove row ${n.toLocaleString('en')}`,
    of: 'Of',
    allApplications: 'all applications',
    gone: 'a pipeline that is gone',
    before: 'The runs before',
    nothingRuns: 'nothing runs',
    idle: (n: number) => `Nothing runs of ${count(n, 'application', 'applications')}:`,
    images: 'Images with traffic',
    pushed: 'Last deployment',
    deleteSays: (applications: number, pipelines: number) =>
      `Only the project goes. Its ${count(applications, 'application', 'applications')} and ${count(pipelines, 'pipeline', 'pipelines')} stay as they are. gennaker project restore brings it back.`,
  },
};
