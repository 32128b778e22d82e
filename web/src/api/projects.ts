// Projects: which applications, clusters and pipelines belong together, how they are doing, and what changes a project.

import { queryOptions } from '@tanstack/react-query';
import { quoted, type Said } from './actions';
import { answer, client } from './client';
import { readExecution } from './execution';
import { finish, taskRequest, type Asked } from './jobs';
import { list, map, number, optNumber, text, texts } from './read';

export interface ProjectCluster {
  account: string;
  stack: string;
  detail: string;
  /** Empty means all of the project. */
  applications: string[];
}

export interface Project {
  id: string;
  name: string;
  email: string;
  applications: string[];
  clusters: ProjectCluster[];
  pipelines: { application: string; id: string }[];
  updated: number | undefined;
}

export function readProject(value: unknown): Project {
  const project = map(value);
  const config = map(project.config);
  return {
    id: text(project.id),
    name: text(project.name),
    email: text(project.email),
    applications: texts(config.applications),
    clusters: list(config.clusters).map((one) => {
      const cluster = map(one);
      return { account: text(cluster.account), stack: text(cluster.stack), detail: text(cluster.detail), applications: texts(cluster.applications) };
    }),
    pipelines: list(config.pipelineConfigs).map((one) => ({ application: text(map(one).application), id: text(map(one).pipelineConfigId) })),
    updated: optNumber(project.updateTs),
  };
}

export const projectsQuery = () =>
  queryOptions({
    queryKey: ['projects'],
    queryFn: async ({ signal }) => list(await answer(client.GET('/projects', { signal }))).map(readProject),
  });

const path = (project: string) => ({ params: { path: { project } } });

export const projectQuery = (project: string) =>
  queryOptions({
    queryKey: ['projects', project],
    queryFn: async ({ signal }) => readProject(await answer(client.GET('/projects/{project}', { ...path(project), signal }))),
  });

export interface Counts {
  total: number;
  up: number;
  down: number;
  starting: number;
  outOfService: number;
  unknown: number;
}

export interface ShownCluster extends Omit<ProjectCluster, 'applications'> {
  counts: Counts;
  applications: { application: string; pushed: number | undefined; regions: { region: string; pushed: number | undefined; counts: Counts; images: string[] }[] }[];
}

function readCounts(value: unknown): Counts {
  const counts = map(value);
  return { total: number(counts.total), up: number(counts.up), down: number(counts.down), starting: number(counts.starting), outOfService: number(counts.outOfService), unknown: number(counts.unknown) };
}

export function readClusters(value: unknown): ShownCluster[] {
  return list(value).map((one) => {
    const cluster = map(one);
    return {
      account: text(cluster.account),
      stack: text(cluster.stack),
      detail: text(cluster.detail),
      counts: readCounts(cluster.instanceCounts),
      applications: list(cluster.applications).map((item) => {
        const application = map(item);
        return {
          application: text(application.application),
          pushed: optNumber(application.lastPush),
          regions: list(application.clusters).map((place) => {
            const region = map(place);
            const images = list(region.builds).flatMap((build) => texts(map(build).images));
            return { region: text(region.region), pushed: optNumber(region.lastPush), counts: readCounts(region.instanceCounts), images: [...new Set(images)] };
          }),
        };
      }),
    };
  });
}

export const projectClustersQuery = (project: string) =>
  queryOptions({
    queryKey: ['project-clusters', project],
    queryFn: async ({ signal }) => readClusters(await answer(client.GET('/projects/{project}/clusters', { ...path(project), signal }))),
  });

/** How many runs of each pipeline the dashboard shows. */
const RUNS = 5;

export const projectRunsQuery = (project: string) =>
  queryOptions({
    queryKey: ['runs', 'project', project],
    queryFn: async ({ signal }) => {
      const request = client.GET('/projects/{project}/pipelines', { params: { path: { project }, query: { limit: RUNS } }, signal });
      return list(await answer(request)).map(readExecution);
    },
  });

/** Every saved pipeline's name and id, of all applications. */
export const pipelineNamesQuery = () =>
  queryOptions({
    queryKey: ['pipelines', '*', 'names'],
    queryFn: async ({ signal }) =>
      list(await answer(client.GET('/pipelineConfigs', { signal }))).map((one) => {
        const pipeline = map(one);
        return { id: text(pipeline.id), name: text(pipeline.name), application: text(pipeline.application), updated: optNumber(pipeline.updateTs), by: text(pipeline.lastModifiedBy) };
      }),
  });

/** A project as it is sent; one without an id is a new one. */
export function projectBody(project: Project): Record<string, unknown> {
  return {
    ...(project.id === '' ? {} : { id: project.id }),
    name: project.name.trim(),
    email: project.email.trim(),
    config: {
      applications: project.applications,
      clusters: project.clusters,
      pipelineConfigs: project.pipelines.map((one) => ({ application: one.application, pipelineConfigId: one.id })),
    },
  };
}

function saveJob(project: Project): Asked {
  return { application: 'spinnaker', description: `${project.id === '' ? 'Create' : 'Update'} project: ${project.name.trim()}`, job: { type: 'upsertProject', project: projectBody(project) } };
}

export const saveProject = (project: Project) => finish(saveJob(project));

export function saveProjectSaid(origin: string, project: Project): Said {
  return {
    command: `echo ${quoted(JSON.stringify(projectBody(project)))} | gennaker project save -f - --server ${quoted(origin)}`,
    request: taskRequest(origin, saveJob(project)),
  };
}

function deleteJob(project: Project): Asked {
  return { application: 'spinnaker', description: `Delete project: ${project.name}`, job: { type: 'deleteProject', project: { id: project.id, name: project.name } } };
}

export const deleteProject = (project: Project) => finish(deleteJob(project));

export function deleteProjectSaid(origin: string, project: Project): Said {
  return { command: `gennaker project delete ${quoted(project.name)} --server ${quoted(origin)}`, request: taskRequest(origin, deleteJob(project)) };
}
