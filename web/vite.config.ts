import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// The page lives under /ui/ on every listener; everything else it asks for is on the same origin.
export default defineConfig({
  base: '/ui/',
  plugins: [react()],
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
