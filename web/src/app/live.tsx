// The live stream: one connection for the whole page, whose events make cached answers old. Its state is shown, never hidden.

import { useQueryClient } from '@tanstack/react-query';
import { createContext, useContext, useEffect, useState, type ReactNode } from 'react';
import { isShut, opened as doorOpens } from '../api/door';
import { renewal } from './renewal';
import { joined, readChange, renewedBy } from './topics';

export type Stream = { state: 'connecting' } | { state: 'live' } | { state: 'cut'; since: number };

const Current = createContext<Stream>({ state: 'connecting' });

/** How long after a refused connection the next one is tried; a cut one is tried again by the browser. */
const RETRY = 2000;

export function Live({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const [stream, setStream] = useState<Stream>({ state: 'connecting' });

  useEffect(() => {
    let source: EventSource | undefined;
    let retry: ReturnType<typeof setTimeout> | undefined;
    let missed = false;

    const { renew, end } = renewal((queryKey) => queries.invalidateQueries({ queryKey }), joined);

    const open = () => {
      retry = undefined;
      const opened = new EventSource('/ui-api/live');
      source = opened;
      opened.onopen = () => {
        setStream({ state: 'live' });
        // What happened while the stream was cut is in no event that we can be sure of.
        if (missed) renew([[]]);
        missed = false;
      };
      opened.addEventListener('change', (event: MessageEvent<string>) => {
        const change = readChange(event.data);
        if (change !== null) renew(renewedBy(change));
      });
      opened.addEventListener('reset', () => renew([[]]));
      opened.onerror = () => {
        missed = true;
        setStream((was) => (was.state === 'cut' ? was : { state: 'cut', since: Date.now() }));
        if (isShut()) {
          // The browser would come back too early.
          opened.close();
          void doorOpens().then(() => source === opened && open());
        } else if (opened.readyState === EventSource.CLOSED) retry ??= setTimeout(open, RETRY);
      };
    };

    const close = () => {
      source?.close();
      source = undefined;
      clearTimeout(retry);
      retry = undefined;
    };

    // A browser keeps few connections to one server: a tab that nobody looks at must not hold one.
    const looked = () => {
      if (document.hidden) {
        close();
        missed = true;
        setStream({ state: 'connecting' });
      } else if (source === undefined) open();
    };

    looked();
    document.addEventListener('visibilitychange', looked);
    return () => {
      document.removeEventListener('visibilitychange', looked);
      close();
      end();
    };
  }, [queries]);

  return <Current.Provider value={stream}>{children}</Current.Provider>;
}

export function useStream(): Stream {
  return useContext(Current);
}
