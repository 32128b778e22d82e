// What an application may be called, and what is still wrong with a new one. Pure.

import type { Asked } from '../../api/jobs';
import { needed, problemsOf, type Problem, type Problems } from '../../parts/problems';
import type { Texts } from '../../texts/en';

export interface NewApplication {
  name: string;
  email: string;
  description: string;
}

/** How a name is kept: capitals do not count. */
export function keptAs(name: string): string {
  return name.trim().toLowerCase();
}

function nameProblem(name: string, taken: string[], t: Texts): Problem | undefined {
  const kept = keptAs(name);
  if (kept === '') return needed(kept, t.wizards.needed);
  if (kept.length > 250 || !/^[a-z0-9_][a-z0-9._-]*$/.test(kept)) return { why: t.newApplication.badName(name) };
  return taken.includes(kept) ? { why: t.newApplication.exists(kept) } : undefined;
}

export function problemsOfNew(draft: NewApplication, taken: string[], t: Texts): Problems {
  const email = draft.email.trim();
  return problemsOf({
    name: nameProblem(draft.name, taken, t),
    email: needed(email, t.wizards.needed) ?? (/^[^\s@]+@[^\s@]+$/.test(email) ? undefined : { why: t.newApplication.badEmail(email) }),
  });
}

export function creation(draft: NewApplication): Asked {
  const name = keptAs(draft.name);
  const description = draft.description.trim();
  return {
    application: name,
    description: `Create Application: ${name}`,
    job: { type: 'createApplication', application: { name, email: draft.email.trim(), ...(description === '' ? {} : { description }) } },
  };
}
