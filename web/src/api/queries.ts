// What each screen asks for: one query definition per resource, with the topics of the live stream that renew it.

import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { diffSnapshots, packageNames, packagesOf } from './aptly';
import { answer, client } from './client';
import { readPipeline } from './config';
import { readExecution, readTaskView } from './execution';
import { readBalancer, readServerGroup } from './inventory';
import { readOperations } from './operations';
import { readApplication, readHome, readLog } from './overview';
import { readProvenance } from './provenance';
import { list } from './read';
import { newestFirst } from './runs';
import { readMirrors, readPublications, readRepositories, readSnapshots } from './repositories';

const path = (application: string) => ({ params: { path: { application } } });

/** What waits, runs and broke, over all applications. */
export const homeQuery = () =>
  queryOptions({
    queryKey: ['home'],
    queryFn: async ({ signal }) => readHome(await answer(client.GET('/ui-api/home', { signal }))),
  });

export const applicationsQuery = () =>
  queryOptions({
    queryKey: ['applications'],
    queryFn: async ({ signal }) => list(await answer(client.GET('/applications', { signal }))).map(readApplication),
  });

export const serverGroupsQuery = (application: string) =>
  queryOptions({
    queryKey: ['serverGroups', application],
    queryFn: async ({ signal }) =>
      list(await answer(client.GET('/applications/{application}/serverGroups', { ...path(application), signal }))).map(readServerGroup),
  });

export const balancersQuery = (application: string) =>
  queryOptions({
    queryKey: ['loadBalancers', application],
    queryFn: async ({ signal }) =>
      list(await answer(client.GET('/applications/{application}/loadBalancers', { ...path(application), signal }))).map(readBalancer),
  });

export const pipelinesQuery = (application: string) =>
  queryOptions({
    queryKey: ['pipelines', application],
    queryFn: async ({ signal }) =>
      list(await answer(client.GET('/applications/{application}/pipelineConfigs', { ...path(application), signal }))).map(readPipeline),
  });

export const runQuery = (id: string) =>
  queryOptions({
    queryKey: ['run', id],
    queryFn: async ({ signal }) => readExecution(await answer(client.GET('/pipelines/{id}', { params: { path: { id } }, signal }))),
  });

/** An application's newest tasks. */
export const tasksQuery = (application: string, limit: number) =>
  queryOptions({
    queryKey: ['tasks', application, String(limit)],
    queryFn: async ({ signal }) => {
      const tasks = list(await answer(client.GET('/applications/{application}/tasks', { params: { path: { application }, query: { limit } }, signal }))).map(readTaskView);
      return tasks.sort(newestFirst);
    },
    placeholderData: keepPreviousData,
  });

/** The log lines of a stage and of its inner stages. */
export const logQuery = (id: string, stage: string) =>
  queryOptions({
    queryKey: ['log', id, stage],
    queryFn: async ({ signal }) =>
      readLog(await answer(client.GET('/ui-api/executions/{id}/stages/{stage_id}/log', { params: { path: { id, stage_id: stage } }, signal }))),
  });

/** What was done in the repositories in the last two weeks, the newest first. */
export const operationsQuery = () =>
  queryOptions({
    queryKey: ['operations'],
    queryFn: async ({ signal }) => readOperations(await answer(client.GET('/ui-api/operations', { signal }))),
  });

export const repositoriesQuery = () =>
  queryOptions({
    queryKey: ['repositories'],
    queryFn: async ({ signal }) => readRepositories(await answer(client.GET('/ui-api/repositories', { signal }))),
  });

export const mirrorsQuery = () =>
  queryOptions({ queryKey: ['repositories', 'mirrors'], queryFn: async ({ signal }) => readMirrors(await answer(client.GET('/ui-api/mirrors', { signal }))) });

export const snapshotsQuery = () =>
  queryOptions({ queryKey: ['repositories', 'snapshots'], queryFn: async ({ signal }) => readSnapshots(await answer(client.GET('/ui-api/snapshots', { signal }))) });

/** The publications with what each shows and showed. */
export const publicationsQuery = () =>
  queryOptions({ queryKey: ['repositories', 'publications'], queryFn: async ({ signal }) => readPublications(await answer(client.GET('/ui-api/publications', { signal }))) });

/** How two snapshots differ. */
export const snapshotDiffQuery = (left: string, right: string) =>
  queryOptions({ queryKey: ['repositories', 'diff', left, right], queryFn: ({ signal }) => diffSnapshots(left, right, signal) });

/** The names of the packages of a repository that a query of aptly's language means. */
export const packageNamesQuery = (repository: string, query: string) =>
  queryOptions({ queryKey: ['repositories', 'names', repository, query], queryFn: ({ signal }) => packageNames(repository, query, signal), retry: false });

/** The same with their fields: for one of them, or few. */
export const packagesQuery = (repository: string, query: string) =>
  queryOptions({ queryKey: ['repositories', 'packages', repository, query], queryFn: ({ signal }) => packagesOf(repository, query, signal), retry: false });

/** Where what is asked about comes from, and where it went. */
export const provenanceQuery = (about: { instance?: string; serverGroup?: string; account?: string; image?: string; package?: string }) =>
  queryOptions({
    queryKey: ['provenance', JSON.stringify(about)],
    queryFn: async ({ signal }) => readProvenance(await answer(client.GET('/ui-api/provenance', { params: { query: about }, signal }))),
  });

/** The keys of what shows repositories. */
export const ofRepositories = [['repositories'], ['operations']];
