// A dialog that shows what will happen before it is done, and the same thing as a command and as a request.

import { useEffect, useRef, useState, type ReactNode } from 'react';
import { useTexts } from '../texts';
import type { Said } from '../api/actions';
import { Draw } from './icons';
import './dialog.css';

/** `kept`: a click beside it does not close it, for what was typed would be lost. */
export function Dialog({ title, onClose, children, foot, kept }: { title: string; onClose: () => void; children: ReactNode; foot: ReactNode; kept?: boolean }) {
  const t = useTexts();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const shown = dialog.current;
    if (shown !== null && !shown.open) {
      shown.showModal();
      // The first field, else the button that does it: not the one that closes.
      (shown.querySelector<HTMLElement>('.dialog-body .field') ?? shown.querySelector<HTMLElement>('.dialog-foot .button:last-child'))?.focus();
    }
    return () => shown?.close();
  }, []);
  return (
    <dialog ref={dialog} className="dialog" aria-label={title} onCancel={(event) => { event.preventDefault(); onClose(); }} onClick={(event) => kept !== true && event.target === dialog.current && onClose()}>
      <div className="dialog-in">
        <header className="dialog-head">
          <h2 className="grow">{title}</h2>
          <button type="button" className="button quiet" aria-label={t.common.close} onClick={onClose}>
            <Draw what="close" />
          </button>
        </header>
        <div className="dialog-body">{children}</div>
        <footer className="dialog-foot">{foot}</footer>
      </div>
    </dialog>
  );
}

/** What stands below: what went wrong, the button that closes, and after it the one that does it. */
export function DialogFoot({ error, close, onClose, children }: { error: Error | null; close?: string; onClose: () => void; children: ReactNode }) {
  const t = useTexts();
  return (
    <>
      {error !== null && (
        <span className="grow small tone-bad" role="alert">
          {error.message}
        </span>
      )}
      <button type="button" className="button" onClick={onClose}>
        {close ?? t.common.close}
      </button>
      {children}
    </>
  );
}

/** The same thing as a command and as a request, each to copy. */
export function SameAs({ said }: { said: Said }) {
  const t = useTexts();
  return (
    <div className="same-as">
      {said.command !== undefined && <Copyable label={t.common.asCommand} text={said.command} />}
      <Copyable label={t.common.asRequest} text={said.request} />
    </div>
  );
}

export function Copyable({ label, text }: { label?: string; text: string }) {
  return (
    <div className="copyable">
      {label !== undefined && <h3>{label}</h3>}
      <div className="copyable-line">
        <code tabIndex={0}>{text}</code>
        <CopyButton text={text} />
      </div>
    </div>
  );
}

export function CopyButton({ text }: { text: string }) {
  const t = useTexts();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      // No clipboard here (an address without https): the text stands beside the button and can be selected.
    }
  };
  return (
    <button type="button" className="copy" aria-label={copied ? t.common.copied : t.common.copy} title={copied ? t.common.copied : t.common.copy} onClick={() => void copy()}>
      <Draw what={copied ? 'check' : 'copy'} />
    </button>
  );
}
