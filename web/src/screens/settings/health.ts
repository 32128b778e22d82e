// What of an account's answer and of a disk is well. Pure.

import type { Account, Health } from '../../api/accounts';
import type { Said, Tone } from '../../parts/status';
import type { Texts } from '../../texts/en';

/** Of an account: whether it answered, and whether the caller may use it. */
export function ofAccount(account: Account, health: Health | undefined, t: Texts): Said {
  if (health === undefined) return { tone: 'starting', word: t.setup.asking };
  if (health.why !== undefined) return { tone: 'bad', word: t.setup.silent };
  if (!account.authorized) return { tone: 'notrun', word: t.setup.unauthorized };
  return { tone: 'well', word: t.status.healthy };
}

/** How full a disk may be before somebody should look. */
export function diskTone(full: number): Tone | 'plain' {
  if (full >= 95) return 'bad';
  return full >= 85 ? 'despite' : 'plain';
}
