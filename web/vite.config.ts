import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// `vite` and `vite preview` show this page in front of the real server that GENNAKER names.
const proxy = { '^/(?!ui/)': process.env.GENNAKER ?? 'http://127.0.0.1:8084' };

// The page lives under /ui/ on every listener; everything else it asks for is on the same origin.
export default defineConfig({
  base: '/ui/',
  plugins: [react()],
  server: { proxy },
  preview: { proxy },
  build: {
    // A strict content security policy: nothing inlined, every asset a file of its own with a hashed name.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.{test,spec}.{ts,tsx}'],
    maxWorkers: 2,
  },
});
