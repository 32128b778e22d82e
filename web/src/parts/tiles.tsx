// Instances as small tiles: green up, red down, and a shape inside that says the same without colour. Thousands of them stay one grid.

import { memo } from 'react';
import { ofInstance } from './status';
import { useTexts } from '../texts';
import type { Instance } from '../api/inventory';
import './tiles.css';

export const Tiles = memo(function Tiles({ instances, selected, onSelect }: { instances: Instance[]; selected?: string | undefined; onSelect: (id: string) => void }) {
  const t = useTexts();
  return (
    <span className="tiles">
      {instances.map((instance) => {
        const said = ofInstance(instance, t);
        return (
          <button
            key={instance.id}
            type="button"
            className={`tile tile-${said.tone}`}
            aria-pressed={selected === instance.id}
            aria-label={t.clusters.instanceLabel(instance.name, said.word)}
            title={`${instance.name} · ${said.word}${instance.why === undefined ? '' : ` · ${instance.why}`}`}
            data-state={instance.state}
            onClick={() => onSelect(instance.id)}
          />
        );
      })}
    </span>
  );
});
