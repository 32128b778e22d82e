// A field for an expression: completes names while they are typed, and tells what it was in the last run.

import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { evaluatedQuery } from '../../api/editor';
import { useTexts } from '../../texts';
import { applied, complete, type Completion, type Offer } from './complete';
import { useEditing } from './editing';
import { useLater } from '../../parts/later';
import { isExpression } from './schema';

interface Props {
  id: string;
  value: unknown;
  /** Where to go on typing; undefined: the focus stays where it is. */
  caret: number | undefined;
  describedBy?: string;
  onChange: (value: string) => void;
}

export function ExpressionField({ id, value, caret, onChange, describedBy }: Props) {
  const t = useTexts();
  const { offers } = useEditing();
  const area = useRef<HTMLTextAreaElement>(null);
  const [open, setOpen] = useState<Completion>();
  const [active, setActive] = useState(-1);
  const text = typeof value === 'string' ? value : value === undefined || value === null ? '' : JSON.stringify(value);
  const look = (typed: string, caret: number) => {
    setOpen(complete(typed, caret, offers));
    setActive(-1);
  };
  const first = useRef(caret);
  useEffect(() => {
    if (first.current === undefined) return;
    area.current?.focus();
    area.current?.setSelectionRange(first.current, first.current);
    look(area.current?.value ?? '', first.current);
    first.current = undefined;
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  const take = (offer: Offer) => {
    if (open === undefined) return;
    const next = applied(text, open, offer);
    setOpen(undefined);
    onChange(next.text);
    requestAnimationFrame(() => {
      area.current?.focus();
      area.current?.setSelectionRange(next.caret, next.caret);
    });
  };
  const press = (event: KeyboardEvent) => {
    if (open === undefined || event.nativeEvent.isComposing) return;
    const offer = open.offers[active];
    if (event.key === 'ArrowDown') setActive((active + 1) % open.offers.length);
    else if (event.key === 'ArrowUp' && active >= 0) setActive(active - 1);
    else if (event.key === 'Escape') setOpen(undefined);
    else if ((event.key === 'Enter' || event.key === 'Tab') && offer !== undefined) take(offer);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const list = `${id}-offers`;
  return (
    <div className="expression">
      <div className="expression-box">
        <textarea
          id={id}
          ref={area}
          className="field area mono"
          rows={Math.max(1, text.split('\n').length)}
          value={text}
          placeholder="${ }"
          spellCheck={false}
          autoComplete="off"
          aria-autocomplete="list"
          aria-controls={open === undefined ? undefined : list}
          aria-activedescendant={open === undefined || active < 0 ? undefined : `${list}-${active}`}
          aria-describedby={describedBy}
          onChange={(event) => {
            onChange(event.target.value);
            look(event.target.value, event.target.selectionStart);
          }}
          onKeyDown={press}
          onBlur={() => setOpen(undefined)}
        />
        {open !== undefined && (
          <ul id={list} className="offers" role="listbox" aria-label={t.editor.offers}>
            {open.offers.map((offer, at) => (
              <li
                key={offer.insert}
                id={`${list}-${at}`}
                role="option"
                aria-selected={at === active}
                className="offer"
                onPointerDown={(event) => {
                  event.preventDefault();
                  take(offer);
                }}
              >
                <code>{offer.insert}</code>
                <span className="faint small cut">{offer.about}</span>
              </li>
            ))}
          </ul>
        )}
      </div>
      <Preview text={text} />
    </div>
  );
}

function Preview({ text }: { text: string }) {
  const t = useTexts();
  const { run } = useEditing();
  const asked = useLater(text, 400);
  const told = useQuery({ ...evaluatedQuery(run ?? '', asked), enabled: run !== undefined && isExpression(asked) && asked.includes('}') });
  if (run === undefined || !isExpression(text)) return null;
  // What is told of an older text is not shown; its line stays, so that nothing jumps.
  if (told.data === undefined || asked !== text) return <span className="small faint preview">{t.editor.inLastRun}: …</span>;
  const { value, error } = told.data;
  return (
    <span className="small soft preview">
      {t.editor.inLastRun}:{' '}
      {error !== undefined ? <span className="tone-despite">{error}</span> : <code>{(typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).slice(0, 300)}</code>}
    </span>
  );
}
