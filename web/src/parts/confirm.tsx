// A dialog for one thing: what will happen, the same as a command and as a request, then the button that does it. Forms of their own use
// `Dialog` itself; jobs that are followed use `JobDialog`.

import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Said } from '../api/actions';
import { Dialog, DialogFoot, SameAs } from './dialog';
import { entered } from './enter';
import { useTexts } from '../texts';

interface Props {
  title: string;
  /** What the button says. */
  word: string;
  /** Its name for those who look for it in the page. */
  name?: string;
  danger?: boolean;
  /** A click beside it does not close it: something was typed. */
  kept?: boolean;
  /** What the other button says, if not that it gives up. */
  close?: string;
  /** Whether everything that it needs is there. */
  ready?: boolean;
  act: () => Promise<unknown>;
  /** What is to be renewed and left once it is done. */
  onDone: () => Promise<unknown> | void;
  onClose: () => void;
  said: Said;
  children: ReactNode;
}

export function Confirm({ title, word, name, danger = false, kept = false, close, ready = true, act, onDone, onClose, said, children }: Props) {
  const t = useTexts();
  const going = useMutation({ mutationFn: act, onSuccess: onDone });
  const go = () => {
    if (ready && !going.isPending) going.mutate();
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      kept={kept}
      foot={
        <DialogFoot error={going.error} close={close ?? t.common.cancel} onClose={onClose}>
          <button type="button" className={danger ? 'button danger' : 'button primary'} disabled={!ready || going.isPending} onClick={go} data-confirm={name}>
            {word}
          </button>
        </DialogFoot>
      }
    >
      <div className="confirm" onKeyDown={(event) => event.target instanceof HTMLInputElement && event.target.type !== 'checkbox' && entered(event) && go()}>
        {children}
      </div>
      <SameAs said={said} />
    </Dialog>
  );
}
