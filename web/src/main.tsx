// Starts the page: language, cache, live stream, router.

import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Refused } from './api/client';
import { Live } from './app/live';
import { router } from './app/router';
import { Speaking } from './texts';
import './style/tokens.css';
import './style/base.css';
import './style/controls.css';

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // The live stream says when an answer is old; time alone does not make it so.
      staleTime: 30_000,
      retry: (failed, error) => failed < 2 && !(error instanceof Refused && error.status < 500),
      retryDelay: 500,
    },
  },
});

const root = document.getElementById('root');
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <Speaking>
        <QueryClientProvider client={queries}>
          <Live>
            <RouterProvider router={router} />
          </Live>
        </QueryClientProvider>
      </Speaking>
    </StrictMode>,
  );
}
