// Starts the page: language, cache, live stream, router.

import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { answers } from './app/answers';
import { Live } from './app/live';
import { router } from './app/router';
import { Speaking } from './texts';
import './style/tokens.css';
import './style/base.css';
import './style/controls.css';

const root = document.getElementById('root');
if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <Speaking>
        <QueryClientProvider client={answers}>
          <Live>
            <RouterProvider router={router} />
          </Live>
        </QueryClientProvider>
      </Speaking>
    </StrictMode>,
  );
}
