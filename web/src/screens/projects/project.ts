// A project in the making: what is wrong with it, and how its parts are put in and out. Pure.

import type { Execution } from '../../api/execution';
import type { Project, ProjectCluster, ShownCluster } from '../../api/projects';

export const NEW: Project = { id: '', name: '', email: '', applications: [], clusters: [], pipelines: [], updated: undefined };

export type Wrong = 'name' | 'taken' | undefined;

export function wrongIn(project: Project, all: Project[]): Wrong {
  const name = project.name.trim().toLowerCase();
  if (name === '') return 'name';
  return all.some((one) => one.id !== project.id && one.name.toLowerCase() === name) ? 'taken' : undefined;
}

/** In or out; an application takes its pipelines, and its place in clusters, out with it. */
export function withApplication(project: Project, application: string, inside: boolean): Project {
  const applications = project.applications.filter((one) => one !== application);
  if (inside) return { ...project, applications: [...applications, application] };
  return {
    ...project,
    applications,
    pipelines: project.pipelines.filter((one) => one.application !== application),
    clusters: project.clusters.map((one) => ({ ...one, applications: one.applications.filter((name) => name !== application) })),
  };
}

export function withPipeline(project: Project, pipeline: { application: string; id: string }, inside: boolean): Project {
  const pipelines = project.pipelines.filter((one) => one.id !== pipeline.id);
  return { ...project, pipelines: inside ? [...pipelines, { application: pipeline.application, id: pipeline.id }] : pipelines };
}

export function withCluster(project: Project, at: number, part: Partial<ProjectCluster> | undefined): Project {
  if (part === undefined) return { ...project, clusters: project.clusters.filter((_, place) => place !== at) };
  return { ...project, clusters: project.clusters.map((one, place) => (place === at ? { ...one, ...part } : one)) };
}

/** Whether saving would change anything. */
export function differs(a: Project, b: Project): boolean {
  return JSON.stringify({ ...a, updated: 0 }) !== JSON.stringify({ ...b, updated: 0 });
}

/** A cluster's stack and detail as one word: `prod-*`, or nothing. */
export function clusterWord(cluster: Pick<ShownCluster, 'stack' | 'detail'>): string {
  return [cluster.stack, cluster.detail].filter((part) => part !== '').join('-');
}

/** The runs of one pipeline, the newest first. */
export function runsOf(runs: Execution[], pipeline: string): Execution[] {
  return runs.filter((run) => run.pipelineConfigId === pipeline).sort((a, b) => (b.buildTime ?? 0) - (a.buildTime ?? 0) || b.id.localeCompare(a.id));
}
