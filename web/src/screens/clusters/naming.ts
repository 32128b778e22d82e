// Names of clusters and server groups as the server makes them: application-stack-detail-vNNN. Pure.

import type { ServerGroup } from '../../api/inventory';
import { plainName, type Problem } from '../../parts/problems';
import type { Texts } from '../../texts/en';

export interface Parts {
  application: string;
  stack: string;
  detail: string;
}

/** `hello`, `hello-main`, `hello-main-blue`, `hello--blue`. */
export function clusterName({ application, stack, detail }: Parts): string {
  const rest = detail === '' ? '' : `-${detail}`;
  return stack === '' && detail === '' ? application : `${application}-${stack}${rest}`;
}

const VERSIONS = 1000;

/** The version that comes after the group created last, past those that are taken; after 999 comes 000. */
export function nextName(cluster: string, existing: Pick<ServerGroup, 'cluster' | 'sequence' | 'createdTime'>[]): string {
  const own = existing.filter((one) => one.cluster === cluster && one.sequence !== undefined);
  const last = own.reduce<(typeof own)[number] | undefined>((a, b) => (a === undefined || (b.createdTime ?? 0) > (a.createdTime ?? 0) || (b.createdTime === a.createdTime && (b.sequence ?? 0) > (a.sequence ?? 0)) ? b : a), undefined);
  const first = last?.sequence === undefined ? 0 : last.sequence + 1;
  const taken = new Set(own.map((one) => one.sequence));
  for (let step = 0; step < VERSIONS; step++) {
    const version = (first + step) % VERSIONS;
    if (!taken.has(version)) return `${cluster}-v${String(version).padStart(3, '0')}`;
  }
  return `${cluster}-v…`;
}

/** What is wrong with the parts of the name, each at its own field. */
export function partProblems({ application, stack, detail }: Parts, t: Texts): { stack: Problem | undefined; detail: Problem | undefined } {
  const whole = clusterName({ application, stack, detail });
  const end = whole.split('-').pop() ?? '';
  const looksLikeVersion = whole.includes('-') && /^v\d{3,6}$/.test(end) ? { why: t.newGroup.likeVersion(end) } : undefined;
  const long = whole.length > 120 ? { why: t.wizards.tooLong(whole, 120) } : undefined;
  return {
    stack: plainName(t.newGroup.stackWord, stack, false, t) ?? (detail === '' ? (looksLikeVersion ?? long) : undefined) ?? plainName(t.newGroup.applicationWord, application, false, t),
    detail: plainName(t.newGroup.detailWord, detail, true, t) ?? (detail === '' ? undefined : (looksLikeVersion ?? long)),
  };
}
