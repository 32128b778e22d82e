// The walk over the made-up world: `npm run build && node dev/walk.mjs`.

import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { serve } from './server.mjs';

const { base, server } = await serve(0);
const walk = spawn(process.execPath, [fileURLToPath(new URL('../e2e/walk.mjs', import.meta.url)), base, ...process.argv.slice(2)], { stdio: 'inherit' });
walk.on('exit', (code) => {
  server.closeAllConnections();
  server.close();
  process.exitCode = code ?? 1;
});
