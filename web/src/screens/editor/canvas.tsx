// The stages as a graph. Dragging from one stage to another, or "Connect" and then choosing, lets the other run after it.

import { useRef, useState, type KeyboardEvent, type MouseEvent, type PointerEvent } from 'react';
import { Graph } from '../../parts/graph';
import { Draw } from '../../parts/icons';
import { StageFace } from '../../parts/stage-face';
import { useTexts } from '../../texts';
import { findingsAt, useEditing, worst } from './editing';
import { connect, mayConnect, stageOf, stagesOf } from './model';

const TONES = { error: 'bad', warning: 'despite', hint: 'none' } as const;
/** Movements below this are clicks. */
const STILL = 6;

interface Drag {
  from: string;
  start: { x: number; y: number };
  now: { x: number; y: number } | undefined;
}

interface Props {
  selected: string | undefined;
  /** Without a reference the pipeline as a whole. */
  onSelect: (refId: string | undefined) => void;
  onAdd: () => void;
  onCopy: (refId: string) => void;
  onRemove: (refId: string) => void;
}

export function Canvas({ selected, onSelect, onAdd, onCopy, onRemove }: Props) {
  const t = useTexts();
  const { doc, findings, change } = useEditing();
  const box = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<Drag>();
  const [from, setFrom] = useState<string>();
  const dragged = useRef(false);
  const stages = stagesOf(doc);
  const chosen = stageOf(doc, selected);
  const nodes = stages.map((stage) => {
    const wrong = worst(findingsAt(findings, ['stages', stage.index], true));
    return {
      id: stage.refId,
      after: stage.after,
      tone: wrong === undefined ? 'none' : TONES[wrong],
      label: `${stage.name}, ${stage.type}${wrong === undefined ? '' : `, ${t.editor.severity[wrong]}`}`,
      face: <StageFace name={stage.name || '?'} foot={<><span className="cut">{stage.type}</span>{wrong !== undefined && wrong !== 'hint' && <span className={`tone-${TONES[wrong]} strong`}>{t.editor.severity[wrong]}</span>}</>} />,
    };
  });
  const join = (one: string, other: string | undefined) => {
    if (other !== undefined && mayConnect(doc, one, other)) change(connect(doc, one, other));
  };
  const place = (event: PointerEvent) => {
    const rect = box.current?.getBoundingClientRect();
    return { x: event.clientX - (rect?.left ?? 0), y: event.clientY - (rect?.top ?? 0) };
  };
  const down = (event: PointerEvent) => {
    dragged.current = false;
    const node = nodeAt(event.target);
    if (node !== undefined && event.button === 0 && event.pointerType !== 'touch') setDrag({ from: node, start: place(event), now: undefined });
  };
  const move = (event: PointerEvent) => {
    if (drag === undefined) return;
    const now = place(event);
    if (drag.now !== undefined || Math.hypot(now.x - drag.start.x, now.y - drag.start.y) > STILL) setDrag({ ...drag, now });
  };
  const up = (event: PointerEvent) => {
    if (drag?.now !== undefined) {
      dragged.current = true;
      join(drag.from, nodeAt(document.elementFromPoint(event.clientX, event.clientY)));
    }
    setDrag(undefined);
  };
  const click = (event: MouseEvent) => {
    const node = nodeAt(event.target);
    if (from === undefined && !dragged.current) return;
    event.stopPropagation();
    if (from !== undefined && node !== undefined) {
      join(from, node);
      setFrom(undefined);
    }
    dragged.current = false;
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === 'Escape') setFrom(undefined);
    const node = nodeAt(event.target);
    if (event.key === 'Delete' && node !== undefined) {
      event.preventDefault();
      onRemove(node);
    }
  };
  return (
    <section className="canvas" aria-label={t.editor.canvas}>
      <div className="canvas-tools">
        <button type="button" className="button" aria-pressed={chosen === undefined} onClick={() => onSelect(undefined)} data-whole="">
          {t.editor.whole}
        </button>
        <button type="button" className="button" onClick={onAdd} data-add-stage="">
          + {t.editor.add}
        </button>
        <button type="button" className="button" disabled={chosen === undefined || stages.length < 2} aria-pressed={from !== undefined} onClick={() => setFrom(from === undefined ? selected : undefined)}>
          {t.editor.connect}
        </button>
        <button type="button" className="button" disabled={chosen === undefined} onClick={() => chosen !== undefined && onCopy(chosen.refId)}>
          <Draw what="copy" />
          {t.editor.copy}
        </button>
        <button type="button" className="button danger" disabled={chosen === undefined} onClick={() => chosen !== undefined && onRemove(chosen.refId)}>
          {t.editor.remove}
        </button>
        <span className="faint small wide-only" role="status">
          {from === undefined ? t.editor.dragHint : t.editor.connecting(stageOf(doc, from)?.name ?? from)}
        </span>
      </div>
      {stages.length === 0 ? (
        <p className="canvas-empty soft small">{t.editor.noStages}</p>
      ) : (
        <div className={from === undefined ? 'canvas-box' : 'canvas-box connecting'} ref={box} onPointerDown={down} onPointerMove={move} onPointerUp={up} onPointerLeave={() => setDrag(undefined)} onClickCapture={click} onKeyDown={press}>
          <Graph nodes={nodes} selected={selected} onSelect={from === undefined ? onSelect : () => undefined} label={t.editor.canvas} />
          {drag?.now !== undefined && (
            <svg className="canvas-drag" aria-hidden="true">
              <line x1={drag.start.x} y1={drag.start.y} x2={drag.now.x} y2={drag.now.y} />
            </svg>
          )}
        </div>
      )}
    </section>
  );
}

function nodeAt(target: EventTarget | null): string | undefined {
  return target instanceof Element ? target.closest<HTMLElement>('[data-node]')?.dataset.node : undefined;
}
