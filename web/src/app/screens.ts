// The page's own screens and actions, for the palette. Pure.

import type { Drawing } from '../parts/icons';
import type { Texts } from '../texts/en';
import { en } from '../texts/en';
import { address, type Entry } from './entries';

/** The screens and actions that can be had from here; English words find them too. */
export function ownEntries(t: Texts, application: string | undefined): Entry[] {
  const screen = (title: string, drawing: Drawing, to: string, words: string, detail = ''): Entry => ({ group: 'screens', key: `screens ${to}`, title, detail, drawing, to, words });
  const action = (act: string, title: string, drawing: Drawing, words: string): Entry => ({ group: 'actions', key: `actions ${act}`, title, detail: '', drawing, act, words });
  const at = (part: string) => `/applications/${encodeURIComponent(application ?? '')}/${part}`;
  const here =
    application === undefined
      ? []
      : [
          screen(t.tabs.pipelines, 'pipeline', at('pipelines'), en.tabs.pipelines, application),
          screen(t.tabs.clusters, 'servers', at('clusters'), en.tabs.clusters, application),
          screen(t.tabs.loadBalancers, 'balancer', at('load-balancers'), en.tabs.loadBalancers, application),
          screen(t.tabs.tasks, 'check', at('tasks'), en.tabs.tasks, application),
          screen(t.tabs.config, 'settings', at('config'), en.tabs.config, application),
          screen(t.palette.history, 'activity', address('/activity', { object: application }), en.palette.history, application),
        ];
  return [
    ...here,
    screen(t.rail.home, 'home', '/', en.rail.home),
    screen(t.rail.applications, 'applications', '/applications', en.rail.applications),
    screen(t.rail.projects, 'projects', '/projects', en.rail.projects),
    screen(t.rail.repositories, 'repositories', '/repositories', en.rail.repositories),
    screen(t.rail.provenance, 'provenance', '/provenance', en.rail.provenance),
    screen(t.rail.activity, 'activity', '/activity', en.rail.activity),
    screen(t.rail.settings, 'settings', '/settings', en.rail.settings),
    { ...action('', t.palette.newProject, 'projects', en.palette.newProject), key: 'actions project', to: address('/projects', { edit: 'new' }) },
    ...(application === undefined ? [] : [{ ...action('', t.palette.edit(application), 'settings', en.palette.edit(application)), key: 'actions edit', to: address(at('config'), { edit: 'attributes' }) }]),
    action('theme', t.palette.theme, 'theme', en.palette.theme),
    action('language', t.palette.language, 'language', en.palette.language),
    action('zone', t.palette.zone, 'clock', en.palette.zone),
    action('copy', t.palette.copy, 'copy', en.palette.copy),
  ];
}
