// Every address of the page. What a screen lets one select stands in its search part, read here, so that a copied link shows the same.

import { createRootRoute, createRoute, createRouter, lazyRouteComponent, Link, redirect } from '@tanstack/react-router';
import { useTexts } from '../texts';
import { readClustersSearch } from '../screens/clusters/address';
import { readReportSearch } from '../screens/report/address';
import { readEditorSearch } from '../screens/editor/views';
import { readRunSearch } from '../screens/run/views';
import { applicationsQuery, balancersQuery, homeQuery, pipelinesQuery, repositoriesQuery, runQuery, serverGroupsQuery } from '../api/queries';
import { ahead } from './answers';
import { Frame } from './frame';

/** The texts of a search part under the given keys; anything else in an address is left out. */
function textsOf<K extends string>(...keys: K[]) {
  return (search: Record<string, unknown>): { [key in K]?: string } => {
    const found: { [key in K]?: string } = {};
    for (const key of keys) {
      const value = search[key];
      if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') found[key] = String(value);
    }
    return found;
  };
}

const root = createRootRoute({ component: Frame, notFoundComponent: NotFound, errorComponent: Broken });

const home = createRoute({ getParentRoute: () => root, path: '/', loader: ({ cause }) => ahead(cause, homeQuery()), component: lazyRouteComponent(() => import('../screens/home'), 'HomeScreen') });

const applications = createRoute({
  getParentRoute: () => root,
  path: '/applications',
  validateSearch: textsOf('q', 'do'),
  loader: ({ cause }) => ahead(cause, applicationsQuery()),
  component: lazyRouteComponent(() => import('../screens/applications'), 'ApplicationsScreen'),
});

const application = createRoute({
  getParentRoute: () => root,
  path: '/applications/$application',
  beforeLoad: ({ params }) => {
    throw redirect({ to: '/applications/$application/pipelines', params, replace: true });
  },
});

const clusters = createRoute({
  getParentRoute: () => root,
  path: '/applications/$application/clusters',
  validateSearch: readClustersSearch,
  loader: ({ cause, params }) => ahead(cause, serverGroupsQuery(params.application)),
  component: lazyRouteComponent(() => import('../screens/clusters'), 'ClustersScreen'),
});

const loadBalancers = createRoute({
  getParentRoute: () => root,
  path: '/applications/$application/load-balancers',
  validateSearch: textsOf('balancer', 'account', 'region', 'do'),
  loader: ({ cause, params }) => ahead(cause, balancersQuery(params.application)),
  component: lazyRouteComponent(() => import('../screens/load-balancers'), 'LoadBalancersScreen'),
});

const firewalls = createRoute({
  getParentRoute: () => root,
  path: '/applications/$application/firewalls',
  validateSearch: textsOf('firewall', 'account', 'region', 'do'),
  component: lazyRouteComponent(() => import('../screens/firewalls'), 'FirewallsScreen'),
});

const pipelines = createRoute({
  getParentRoute: () => root,
  path: '/applications/$application/pipelines',
  validateSearch: textsOf('q', 'pipeline', 'start'),
  loader: ({ cause, params }) => ahead(cause, pipelinesQuery(params.application)),
  component: lazyRouteComponent(() => import('../screens/pipelines'), 'PipelinesScreen'),
});

const editPipeline = createRoute({
  getParentRoute: () => root,
  path: '/applications/$application/pipelines/$pipeline/edit',
  validateSearch: readEditorSearch,
  component: lazyRouteComponent(() => import('../screens/editor'), 'EditScreen'),
});

const newPipeline = createRoute({
  getParentRoute: () => root,
  path: '/applications/$application/pipelines/new',
  validateSearch: readEditorSearch,
  component: lazyRouteComponent(() => import('../screens/editor'), 'NewScreen'),
});

const run = createRoute({
  getParentRoute: () => root,
  path: '/applications/$application/runs/$run',
  validateSearch: readRunSearch,
  loader: ({ cause, params }) => ahead(cause, runQuery(params.run)),
  component: lazyRouteComponent(() => import('../screens/run'), 'RunScreen'),
});

const report = createRoute({
  getParentRoute: () => root,
  path: '/applications/$application/runs/$run/report',
  validateSearch: readReportSearch,
  component: lazyRouteComponent(() => import('../screens/report'), 'ReportScreen'),
});

const tasks = createRoute({
  getParentRoute: () => root,
  path: '/applications/$application/tasks',
  validateSearch: textsOf('task'),
  component: lazyRouteComponent(() => import('../screens/tasks'), 'TasksScreen'),
});

const repositories = createRoute({
  getParentRoute: () => root,
  path: '/repositories',
  validateSearch: textsOf('part', 'q', 'package', 'left', 'right', 'repository'),
  loader: ({ cause }) => ahead(cause, repositoriesQuery()),
  component: lazyRouteComponent(() => import('../screens/repositories'), 'RepositoriesScreen'),
});

const config = createRoute({
  getParentRoute: () => root,
  path: '/applications/$application/config',
  validateSearch: textsOf('edit', 'guard', 'notification', 'revision'),
  component: lazyRouteComponent(() => import('../screens/config'), 'ConfigScreen'),
});

const projects = createRoute({
  getParentRoute: () => root,
  path: '/projects',
  validateSearch: textsOf('q', 'edit'),
  component: lazyRouteComponent(() => import('../screens/projects'), 'ProjectsScreen'),
});

const project = createRoute({
  getParentRoute: () => root,
  path: '/projects/$project',
  validateSearch: textsOf('edit'),
  component: lazyRouteComponent(() => import('../screens/projects/dashboard'), 'ProjectScreen'),
});

const activity = createRoute({
  getParentRoute: () => root,
  path: '/activity',
  validateSearch: textsOf('who', 'object', 'kind', 'result', 'from', 'to'),
  component: lazyRouteComponent(() => import('../screens/activity'), 'ActivityScreen'),
});

const settings = createRoute({
  getParentRoute: () => root,
  path: '/settings',
  validateSearch: textsOf('account'),
  component: lazyRouteComponent(() => import('../screens/settings'), 'SettingsScreen'),
});

const provenance = createRoute({
  getParentRoute: () => root,
  path: '/provenance',
  validateSearch: textsOf('instance', 'serverGroup', 'account', 'image', 'package'),
  component: lazyRouteComponent(() => import('../screens/provenance'), 'ProvenanceScreen'),
});

export const router = createRouter({
  routeTree: root.addChildren([home, applications, application, clusters, loadBalancers, firewalls, pipelines, editPipeline, newPipeline, run, report, tasks, config, projects, project, repositories, activity, settings, provenance]),
  basepath: '/ui',
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

function NotFound() {
  const t = useTexts();
  return (
    <div className="screen">
      <p className="notice">
        {t.common.notFound}
        <Link to="/" className="word">
          {t.common.toHome}
        </Link>
      </p>
    </div>
  );
}

function Broken({ error }: { error: unknown }) {
  const t = useTexts();
  return (
    <div className="screen">
      <div className="notice" role="alert">
        <p>{t.common.broken}</p>
        <code>{error instanceof Error ? error.message : String(error)}</code>
        <a href="/ui/" className="word">
          {t.common.toHome}
        </a>
      </div>
    </div>
  );
}
