// What a person needs to know to judge: what follows either answer, and which versions the run brought. Pure.

import { behind, innerStages, topOf, type Execution, type Stage } from '../../api/execution';
import type { ServerGroup } from '../../api/inventory';
import { list, map, text } from '../../api/read';

export interface Follows {
  continues: string[];
  /** The stages that run although it is stopped. */
  stops: string[];
  /** Whether a stop lets the run go on all the same. */
  goesOn: boolean;
}

/** What the server said when the wait began; without it what the run's own stages tell. */
export function followsOf(run: Execution, stage: Stage): Follows {
  const told = map(stage.context.judgment);
  const names = (value: unknown) => list(map(value).stages).map((one) => text(map(one).name) || text(map(one).type));
  if (Object.keys(told).length > 0) return { continues: names(told.continue), stops: names(told.stop), goesOn: text(map(told.stop).status) === 'FAILED_CONTINUE' };
  return { continues: behind(run, topOf(run, stage)).map((one) => one.name), stops: [], goesOn: false };
}

export interface Versions {
  cluster: string;
  from: string | undefined;
  to: string;
}

/** What the deployments of a run brought: of each new server group its version, and that of the groups whose traffic it took. */
export function versionsOf(run: Execution, groups: ServerGroup[]): Versions[] {
  const found: Versions[] = [];
  for (const stage of run.stages) {
    if (stage.type === 'deploy') continue;
    const made = Object.values(map(stage.context['deploy.server.groups'])).flatMap((names) => list(names).map((name) => text(name)));
    const left = innerStages(run, stage).filter((one) => /^disable/.test(one.type)).flatMap((one) => list(one.context.targetServerGroups).map((target) => text(map(target).serverGroupName)));
    // Where no group lost its traffic, the one that was copied is the version before.
    const source = text(map(stage.context.source).serverGroupName);
    for (const name of made) {
      const before = (left.length > 0 ? left : [source]).filter((one) => one !== '' && one !== name);
      const from = [...new Set(before.map((one) => versionOf(one, groups) ?? one))].join(', ');
      const version = versionOf(name, groups) ?? last(text(stage.context.package) || text(stage.context.image)) ?? name;
      found.push({ cluster: name.replace(/-v\d{3,}$/, ''), from: from === '' ? undefined : from, to: version });
    }
  }
  return found;
}

function versionOf(name: string, groups: ServerGroup[]): string | undefined {
  const group = groups.find((one) => one.name === name);
  return group?.package ?? last(group?.image ?? '');
}

function last(path: string): string | undefined {
  const end = path.replace(/\/+$/, '').split('/').pop();
  return end === '' ? undefined : end;
}
