// Choosing the type of a new stage: a list to search, each with a sentence of what it does. Enter takes the first.

import { useState } from 'react';
import { Dialog, DialogFoot } from '../../parts/dialog';
import { entered } from '../../parts/enter';
import { useTexts } from '../../texts';
import { fitting, type KindOffer } from './kinds';

export function AddStage({ offers, after, onAdd, onClose }: { offers: KindOffer[]; after: string | undefined; onAdd: (type: string) => void; onClose: () => void }) {
  const t = useTexts();
  const [typed, setTyped] = useState('');
  const shown = fitting(offers, typed);
  return (
    <Dialog title={t.editor.addTitle} onClose={onClose} foot={<DialogFoot error={null} close={t.common.cancel} onClose={onClose}>{null}</DialogFoot>}>
      <p className="soft">{after === undefined ? t.editor.addFirst : t.editor.addAfter(after)}</p>
      <input
        className="field"
        type="search"
        value={typed}
        placeholder={t.editor.searchKinds}
        aria-label={t.editor.searchKinds}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => {
          const first = shown[0];
          if (first !== undefined && entered(event)) onAdd(first.type);
        }}
      />
      {shown.length === 0 && <p className="faint small">{t.editor.noKind}</p>}
      <ul className="kinds">
        {shown.map((offer) => (
          <li key={offer.type}>
            <button type="button" className="kind" data-kind={offer.type} onClick={() => onAdd(offer.type)}>
              <span className="strong">{offer.type}</span>
              <span className="soft small">{offer.about}</span>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
