// One server group in one row: version, share of the traffic, image, instances as tiles, capacity, age, state.

import { memo, useCallback } from 'react';
import { upCount, type ServerGroup } from '../../api/inventory';
import type { Named } from '../../api/named';
import { Mark } from '../../parts/mark';
import { ofGroup } from '../../parts/status';
import { Tiles } from '../../parts/tiles';
import { Ago } from '../../parts/when';
import { useTexts } from '../../texts';
import { HeldBeside } from './held';
import { shortImage, versionOf } from './names';

interface Props {
  group: ServerGroup;
  share: number;
  selected: boolean;
  instance: string | undefined;
  onSelect: (group?: Named, instance?: string) => void;
}

/** Drawn anew only when its own group changes: a list has a thousand of them. */
export const GroupRow = memo(function GroupRow({ group, share, selected, instance, onSelect }: Props) {
  const t = useTexts();
  const selectInstance = useCallback((id: string) => onSelect(group, id), [onSelect, group]);
  const up = upCount(group.instances);
  return (
    <div className={selected ? 'group-line selected' : 'group-line'} role="row" data-group={group.name}>
      <span role="cell" className="group-version">
        <button type="button" className="group-open" aria-pressed={selected} aria-label={group.name} title={group.name} onClick={() => onSelect(selected ? undefined : group)}>
          {versionOf(group)}
        </button>
      </span>
      <span role="cell" className="group-traffic" title={group.balancers.length === 0 ? t.clusters.noBalancer : t.clusters.share(share)}>
        <span className="bar">
          <span className="bar-fill" style={{ width: `${share}%` }} />
        </span>
        <span className={share === 0 ? 'faint bar-number' : 'bar-number'}>{share}%</span>
      </span>
      <span role="cell" className="group-image">
        <span className="cut">
          <bdi>{group.package ?? shortImage(group.image) ?? '–'}</bdi>
        </span>
        <HeldBeside group={group} />
        {group.package !== undefined && group.image !== undefined && (
          <span className="faint small cut mono" title={group.image}>
            <bdi>{shortImage(group.image)}</bdi>
          </span>
        )}
      </span>
      <span role="cell">
        <Tiles instances={group.instances} selected={instance} onSelect={selectInstance} />
      </span>
      <span role="cell" className="soft small group-capacity">
        {t.clusters.upOf(up, group.capacity.desired)}
      </span>
      <span role="cell" className="soft small group-age">
        <Ago at={group.createdTime} />
      </span>
      <span role="cell" className="group-state">
        <Mark said={ofGroup(group, t)} />
      </span>
    </div>
  );
});
