// A small archive to mirror: one distribution without a signature, of which one package is held back until a walk lets it go.

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { deb } from './deb.mjs';

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Serves `packages` (`[name, version]` each) as `DIST main`, for amd64, and tells its address. */
export async function archive(distribution, packages, held) {
  const files = new Map();
  const index = packages.map(([name, version]) => {
    const bytes = deb(name, version);
    const path = `pool/${name}_${version}_all.deb`;
    files.set(`/${path}`, bytes);
    return `Package: ${name}\nVersion: ${version}\nArchitecture: all\nMaintainer: Test <test@example.org>\nFilename: ${path}\nSize: ${bytes.length}\nSHA256: ${sha256(bytes)}\nDescription: for a test\n`;
  });
  const list = Buffer.from(index.join('\n'));
  const release = `Origin: Walk\nSuite: ${distribution}\nCodename: ${distribution}\nDate: Thu, 01 Jan 2026 00:00:00 UTC\nArchitectures: amd64\nComponents: main\nSHA256:\n ${sha256(list)} ${list.length} main/binary-amd64/Packages\n`;
  files.set(`/dists/${distribution}/Release`, Buffer.from(release));
  files.set(`/dists/${distribution}/main/binary-amd64/Packages`, list);
  let letGo;
  const gone = new Promise((done) => (letGo = done));
  const server = createServer(async ({ url }, response) => {
    const found = files.get(url);
    if (found === undefined) return response.writeHead(404).end();
    if (url.startsWith(`/pool/${held}_`)) await gone;
    response.writeHead(200, { 'content-length': found.length }).end(found);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  // A walk that fails ends all the same.
  server.unref();
  return { address: `http://127.0.0.1:${server.address().port}/`, letGo, close: () => server.close() };
}
