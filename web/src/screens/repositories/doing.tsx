// A dialog for one thing that can be done in the repositories by aptly's own API.

import type { ReactNode } from 'react';
import { perform, said, type Doing } from '../../api/aptly';
import { Confirm } from '../../parts/confirm';
import { useTexts } from '../../texts';
import { useRenewal } from './renew';

interface Props {
  title: string;
  /** What the button says. */
  word: string;
  danger?: boolean;
  kept?: boolean;
  doing: Doing;
  /** Whether everything that it needs is there. */
  ready?: boolean;
  onClose: () => void;
  children: ReactNode;
}

export function DoingDialog({ doing, onClose, ...props }: Props) {
  const t = useTexts();
  const renew = useRenewal();
  return <Confirm {...props} close={t.common.close} act={() => perform(doing.call)} onDone={() => renew().then(onClose)} onClose={onClose} said={said(location.origin, doing)} />;
}
