// The results of the palette: groups of options, of which one is chosen; the chosen one stays in view.

import { useEffect, useRef } from 'react';
import { Draw } from '../parts/icons';
import { useTexts } from '../texts';
import type { Entry, Grouped } from './entries';

interface Props {
  id: string;
  groups: Grouped[];
  /** Whether more may come. */
  busy: boolean;
  chosen: number;
  onPoint: (at: number) => void;
  onGo: (entry: Entry, elsewhere: boolean) => void;
}

export function PaletteList({ id, groups, busy, chosen, onPoint, onGo }: Props) {
  const t = useTexts();
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' });
  }, [chosen, groups]);
  let at = -1;
  return (
    <div ref={list} id={`${id}-list`} className="palette-list" role="listbox" aria-busy={busy} aria-label={t.palette.results} tabIndex={-1}>
      {groups.map(({ group, entries, more }) => (
        <div key={group} role="group" aria-labelledby={`${id}-${group}`} data-group={group}>
          <div id={`${id}-${group}`} className="palette-group" role="presentation">
            {t.palette.groups[group]}
            {more > 0 && <span className="faint"> · {t.palette.more(more)}</span>}
          </div>
          {entries.map((entry) => {
            at += 1;
            const own = at;
            return (
              <div
                key={entry.key}
                id={`${id}-${own}`}
                className="palette-entry"
                role="option"
                aria-selected={own === chosen}
                data-to={entry.to}
                // A pointer that rests while the list moves beneath it chooses nothing.
                onMouseMove={() => own !== chosen && onPoint(own)}
                onMouseDown={(event) => event.preventDefault()}
                onClick={(event) => onGo(entry, event.ctrlKey || event.metaKey)}
              >
                <Draw what={entry.drawing} />
                <span className="palette-title cut">
                  <bdi>{entry.title}</bdi>
                </span>
                <span className="palette-detail cut">
                  <bdi>{entry.detail}</bdi>
                </span>
              </div>
            );
          })}
        </div>
      ))}
    </div>
  );
}
