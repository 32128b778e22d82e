// Leaving with changes that are not saved: asks first. Closing the window asks too, in the browser's own words.

import { useBlocker } from '@tanstack/react-router';
import type { RefObject } from 'react';
import { Dialog, DialogFoot } from '../../parts/dialog';
import { useTexts } from '../../texts';

/** `changed` is read when somebody leaves, so that saving can let go at once. */
export function AskBeforeLeaving({ name, changed }: { name: string; changed: RefObject<boolean> }) {
  const t = useTexts();
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => changed.current && current.pathname !== next.pathname,
    enableBeforeUnload: () => changed.current,
    withResolver: true,
  });
  if (blocker.status !== 'blocked') return null;
  return (
    <Dialog
      title={t.editor.leaveTitle}
      onClose={blocker.reset}
      foot={
        <DialogFoot error={null} close={t.editor.stay} onClose={blocker.reset}>
          <button type="button" className="button danger" onClick={blocker.proceed} data-confirm="leave">
            {t.editor.leave}
          </button>
        </DialogFoot>
      }
    >
      <p>{t.editor.leaveSays(name)}</p>
    </Dialog>
  );
}
