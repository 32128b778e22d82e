// Search and commands in one place: typed words find everything that has a name, arrows choose, Enter goes there.

import { useQuery } from '@tanstack/react-query';
import { useParams, useRouter } from '@tanstack/react-router';
import { useDeferredValue, useEffect, useId, useMemo, useRef, useState, type KeyboardEvent } from 'react';
import { repositoriesQuery } from '../api/queries';
import { newestRunsQuery, runByIdQuery } from '../api/runs';
import { askedWord, searchQuery } from '../api/search';
import { submits } from '../parts/enter';
import { Draw } from '../parts/icons';
import { useLater } from '../parts/later';
import { useTexts } from '../texts';
import { arranged, atFirst, ofFound, ofPackages, ofRunEntry, type Entry, type Grouped } from './entries';
import { PaletteList } from './palette-list';
import { recent, remember } from './recent';
import { ownEntries } from './screens';
import './palette.css';

/** How many of the newest runs are looked through by name. */
const RUNS = 100;

export function Palette({ onClose, onAct }: { onClose: () => void; onAct: (act: string) => void }) {
  const t = useTexts();
  const router = useRouter();
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const [typed, setTyped] = useState('');
  // By its key: what the server finds later must not move the choice to another one.
  const [chosen, setChosen] = useState('');
  const { groups, busy, failed } = useGroups(typed);
  const entries = groups.flatMap((one) => one.entries);
  const at = Math.max(0, entries.findIndex((one) => one.key === chosen));
  const choose = (place: number) => setChosen(entries[place]?.key ?? '');

  useEffect(() => {
    const shown = dialog.current;
    if (shown !== null && !shown.open) shown.showModal();
    return () => shown?.close();
  }, []);

  const go = (entry: Entry | undefined, elsewhere: boolean) => {
    if (entry === undefined) return;
    remember(entry);
    const href = entry.to === undefined ? undefined : router.basepath + entry.to;
    if (href !== undefined && elsewhere) return void window.open(href, '_blank', 'noopener');
    onClose();
    if (href !== undefined) router.history.push(href);
    else if (entry.act !== undefined) onAct(entry.act);
  };

  const keyed = (event: KeyboardEvent) => {
    const pressed = { key: event.key, isComposing: event.nativeEvent.isComposing, keyCode: event.keyCode };
    // While a syllable is being composed every key is the input method's.
    if (pressed.isComposing || pressed.keyCode === 229) return;
    const last = entries.length - 1;
    const to = { ArrowDown: at >= last ? 0 : at + 1, ArrowUp: at <= 0 ? last : at - 1, PageDown: Math.min(last, at + 6), PageUp: Math.max(0, at - 6) }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      choose(to);
    } else if (submits(pressed)) {
      event.preventDefault();
      go(entries[at], event.ctrlKey || event.metaKey);
    }
  };

  const count = typed.trim() === '' ? '' : entries.length === 0 ? (busy ? '' : t.palette.none) : t.palette.found(groups.reduce((sum, one) => sum + one.entries.length + one.more, 0));
  return (
    <dialog ref={dialog} className="palette" aria-label={t.palette.title} onCancel={(event) => { event.preventDefault(); onClose(); }} onClick={(event) => event.target === dialog.current && onClose()}>
      <div className="palette-in">
        <div className="palette-head">
          <Draw what="search" />
          <input
            className="palette-field"
            role="combobox"
            aria-label={t.palette.title}
            aria-expanded={entries.length > 0}
            aria-controls={`${id}-list`}
            aria-activedescendant={entries.length > 0 ? `${id}-${at}` : undefined}
            aria-autocomplete="list"
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            placeholder={t.palette.hint}
            value={typed}
            onChange={(event) => {
              setTyped(event.target.value);
              setChosen('');
            }}
            onKeyDown={keyed}
          />
          <button type="button" className="button quiet" aria-label={t.common.close} onClick={onClose}>
            <Draw what="close" />
          </button>
        </div>
        <PaletteList id={id} groups={groups} busy={busy} chosen={at} onPoint={choose} onGo={go} />
        {entries.length === 0 && !busy && <p className="palette-none soft">{t.palette.none}</p>}
        {failed && <p className="palette-none tone-bad small">{t.palette.failed}</p>}
        <p className="palette-foot faint small">
          <span><kbd>↑</kbd> <kbd>↓</kbd> {t.palette.keys.move}</span>
          <span><kbd>Enter</kbd> {t.palette.keys.go}</span>
          <span><kbd>Esc</kbd> {t.palette.keys.close}</span>
          <span className="grow palette-count" role="status">{count}</span>
        </p>
      </div>
    </dialog>
  );
}

/** What the page knows and the server finds, as groups. */
function useGroups(typed: string): { groups: Grouped[]; busy: boolean; failed: boolean } {
  const t = useTexts();
  const { application } = useParams({ strict: false });
  const asked = askedWord(typed);
  const word = useLater(asked, 120);
  const search = useQuery(searchQuery(word));
  const packages = useQuery(repositoriesQuery());
  const runs = useQuery(newestRunsQuery(RUNS));
  const byId = useQuery(runByIdQuery(typed.trim()));
  const before = useMemo(recent, []);
  const shown = useDeferredValue(typed);
  const own = useMemo(() => ownEntries(t, application), [t, application]);
  const groups = useMemo(() => {
    if (shown.trim() === '') return atFirst(before, own);
    const all = [
      ...(search.data ?? []).map(ofFound),
      ...ofPackages(packages.data?.repositories ?? []),
      ...[...(byId.data ?? []), ...(runs.data ?? [])].map((run) => ofRunEntry(run, t)),
      ...own,
    ];
    return arranged(all, shown);
  }, [shown, before, own, search.data, packages.data, byId.data, runs.data, t]);
  const busy = word !== asked || shown !== typed || search.isFetching || runs.isLoading || packages.isLoading;
  return { groups, busy, failed: search.isError && typed.trim() !== '' };
}
