// Draws a layered graph: edges as SVG below, nodes as buttons above. Arrow keys walk along the edges. Where to put what is in layers.ts.

import { useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent, type ReactNode, type RefObject } from 'react';
import { layout, pathOf, type NodeIn } from './layers';
import './graph.css';

const ROOMY = { width: 164, height: 58, gapX: 26, gapY: 14 };
/** For graphs that would not fit: narrower nodes, whose state stands on lines of its own. */
const TIGHT = { width: 108, height: 78, gapX: 10, gapY: 12 };
const MARGIN = 4;

export interface GraphNode extends NodeIn {
  /** What the button shows. */
  face: ReactNode;
  /** What a screen reader says. */
  label: string;
  tone?: string;
  dim?: boolean;
}

export function Graph({ nodes, selected, onSelect, label }: { nodes: GraphNode[]; selected?: string | undefined; onSelect?: (id: string) => void; label: string }) {
  const shape = nodes.map((node) => `${node.id}<${node.after.join(',')}`).join('\n');
  // Placing depends on the shape alone: a change of state must not move anything.
  const here = useRef<HTMLDivElement>(null);
  const room = useRoom(here);
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const roomy = useMemo(() => layout(nodes, ROOMY), [shape]);
  const fits = roomy.width + 2 * MARGIN <= room;
  const sizes = fits ? ROOMY : TIGHT;
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const drawn = useMemo(() => (fits ? roomy : layout(nodes, TIGHT)), [roomy, fits]);
  const tones = new Map(nodes.map((node) => [node.id, node]));

  useEffect(() => {
    here.current?.querySelector<HTMLElement>('[aria-pressed=true]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }, [selected]);

  const walk = (event: KeyboardEvent, from: string) => {
    const next = neighbour(event.key, from, drawn);
    if (next === undefined) return;
    event.preventDefault();
    here.current?.querySelector<HTMLElement>(`[data-node="${CSS.escape(next)}"]`)?.focus();
    onSelect?.(next);
  };

  return (
    <div className={fits ? 'graph' : 'graph tight'} ref={here} role="group" aria-label={label}>
      <div className="graph-plane" style={{ width: drawn.width + 2 * MARGIN, height: drawn.height + 2 * MARGIN }}>
        <svg className="graph-wires" width={drawn.width + 2 * MARGIN} height={drawn.height + 2 * MARGIN} aria-hidden="true">
          <g transform={`translate(${MARGIN} ${MARGIN})`}>
            {drawn.wires.map((wire) => (
              <path key={`${wire.from}\n${wire.to}`} d={pathOf(wire.points)} className={tones.get(wire.to)?.dim ? 'wire dim' : 'wire'} />
            ))}
          </g>
        </svg>
        {drawn.places.map((place) => {
          const node = tones.get(place.id);
          if (node === undefined) return null;
          return (
            <button
              key={place.id}
              type="button"
              data-node={place.id}
              className={`graph-node edge-${node.tone ?? 'none'}${node.dim ? ' dim' : ''}`}
              style={{ left: place.x + MARGIN, top: place.y + MARGIN, width: sizes.width, height: sizes.height }}
              aria-pressed={selected === place.id}
              aria-label={node.label}
              onClick={() => onSelect?.(place.id)}
              onKeyDown={(event) => walk(event, place.id)}
            >
              {node.face}
            </button>
          );
        })}
      </div>
    </div>
  );
}

/** The width inside the box; endless until it is measured, before anything is painted. */
function useRoom(box: RefObject<HTMLElement | null>): number {
  const [room, setRoom] = useState(Number.POSITIVE_INFINITY);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const measure = () => {
      const style = getComputedStyle(element);
      setRoom(element.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight));
    };
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(element);
    return () => watcher.disconnect();
  }, [box]);
  return room;
}

/** The node that an arrow key leads to: along the edges sideways, within the layer up and down. */
export function neighbour(key: string, from: string, drawn: ReturnType<typeof layout>): string | undefined {
  const places = new Map(drawn.places.map((place) => [place.id, place]));
  const at = places.get(from);
  if (at === undefined) return undefined;
  const nearest = (ids: string[]) =>
    ids.flatMap((id) => places.get(id) ?? []).sort((a, b) => Math.abs(a.y - at.y) - Math.abs(b.y - at.y))[0]?.id;
  switch (key) {
    case 'ArrowRight':
      return nearest(drawn.wires.filter((wire) => wire.from === from).map((wire) => wire.to));
    case 'ArrowLeft':
      return nearest(drawn.wires.filter((wire) => wire.to === from).map((wire) => wire.from));
    case 'ArrowDown':
      return nearest(drawn.places.filter((place) => place.layer === at.layer && place.y > at.y).map((place) => place.id));
    case 'ArrowUp':
      return nearest(drawn.places.filter((place) => place.layer === at.layer && place.y < at.y).map((place) => place.id));
    default:
      return undefined;
  }
}
