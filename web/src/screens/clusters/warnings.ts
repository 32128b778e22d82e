// The warnings of an action as sentences: pure.

import type { ServerGroup } from '../../api/inventory';
import type { Texts } from '../../texts/en';
import type { Warning } from './effects';

export function warningText(warning: Warning, group: ServerGroup, t: Texts): string {
  switch (warning.kind) {
    case 'carries':
      return t.acting.carries(group.name, warning.share, group.cluster);
    case 'nobody':
      return t.acting.nobody(group.cluster);
    case 'fewer':
      return t.acting.fewer(warning.from, warning.to);
    case 'refused':
      return t.acting.refused;
    case 'guarded':
      return t.acting.guarded;
  }
}
