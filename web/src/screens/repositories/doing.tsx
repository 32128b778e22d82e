// A dialog for one thing that can be done in the repositories: what will happen, the same as a command and as a request, then the button.

import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { perform, said, type Doing } from '../../api/aptly';
import { Dialog, DialogFoot, SameAs } from '../../parts/dialog';
import { submits } from '../../parts/enter';
import { useRenewal } from './renew';

interface Props {
  title: string;
  /** What the button says. */
  word: string;
  danger?: boolean;
  doing: Doing;
  /** Whether everything that it needs is there. */
  ready?: boolean;
  onClose: () => void;
  children: ReactNode;
}

export function DoingDialog({ title, word, danger = false, doing, ready = true, onClose, children }: Props) {
  const renew = useRenewal();
  const going = useMutation({
    mutationFn: () => perform(doing.call),
    onSuccess: async () => {
      await renew();
      onClose();
    },
  });
  const go = () => {
    if (ready && !going.isPending) going.mutate();
  };
  return (
    <Dialog
      title={title}
      onClose={onClose}
      foot={
        <DialogFoot error={going.error} onClose={onClose}>
          <button type="button" className={danger ? 'button danger' : 'button primary'} disabled={!ready || going.isPending} onClick={go}>
            {word}
          </button>
        </DialogFoot>
      }
    >
      <div className="doing" onKeyDown={(event) => event.target instanceof HTMLInputElement && submits({ key: event.key, isComposing: event.nativeEvent.isComposing, keyCode: event.keyCode }) && go()}>
        {children}
      </div>
      <SameAs said={said(location.origin, doing)} />
    </Dialog>
  );
}
