// A state as people see it: shape and word in one colour; "needs judgment" is the only filled badge.

import { Shape } from './icons';
import type { Said } from './status';
import './mark.css';

export function Mark({ said, bare }: { said: Said; bare?: boolean }) {
  return (
    <span className={`mark tone-${said.tone}`} title={bare ? said.word : undefined}>
      <Shape tone={said.tone} />
      <span className={bare ? 'hidden-words' : 'word'}>{said.word}</span>
    </span>
  );
}
