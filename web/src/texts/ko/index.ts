// Every text of the page, in Korean.

import type { Texts } from '../en';
import { acting } from './acting';
import { activity } from './activity';
import { applications } from './applications';
import { archives } from './archives';
import { artifacts } from './artifacts';
import { balancerWizard } from './balancer-wizard';
import { balancers } from './balancers';
import { choices } from './choices';
import { clusters } from './clusters';
import { fields } from './fields';
import { firewalls } from './firewalls';
import { config } from './config';
import { first } from './first';
import { editor } from './editor';
import { frame } from './frame';
import { groupWizard } from './group-wizard';
import { home } from './home';
import { mirrors } from './mirrors';
import { notify } from './notify';
import { palette } from './palette';
import { pipelines } from './pipelines';
import { provenance } from './provenance';
import { report } from './report';
import { projects } from './projects';
import { repositories } from './repositories';
import { runMore } from './run-more';
import { run } from './run';
import { settings } from './settings';
import { stageKinds } from './stage-kinds';
import { tasks } from './tasks';
import { versions } from './versions';
import { wizards } from './wizards';
import { words } from './words';

export const ko: Texts = {
  ...frame,
  ...words,
  ...home,
  ...applications,
  ...clusters,
  ...balancers,
  ...pipelines,
  ...versions,
  ...run,
  ...tasks,
  ...repositories,
  ...archives,
  ...mirrors,
  ...provenance,
  ...wizards,
  ...balancerWizard,
  ...groupWizard,
  ...firewalls,
  ...acting,
  ...report,
  ...runMore,
  ...settings,
  ...projects,
  ...palette,
  ...first,
  ...config,
  ...activity,
  ...editor,
  ...artifacts,
  ...notify,
  ...choices,
  ...stageKinds,
  ...fields,
};
