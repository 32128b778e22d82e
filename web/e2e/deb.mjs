// The smallest Debian package that can be: an archive of a control file and one file that says its name and version.

import { gzipSync } from 'node:zlib';

const BLOCK = 512;

function tarEntry(name, content, mode) {
  const head = Buffer.alloc(BLOCK);
  head.write(name, 0, 100);
  head.write(`${mode.toString(8).padStart(7, '0')}\0`, 100);
  head.write('0000000\0', 108);
  head.write('0000000\0', 116);
  head.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  head.write('14524643000\0', 136);
  head.write('        ', 148);
  head.write('0', 156);
  head.write('ustar\x0000', 257);
  const sum = head.reduce((all, byte) => all + byte, 0);
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([head, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)]);
}

function tar(files) {
  return gzipSync(Buffer.concat([...files.map(([name, text, mode]) => tarEntry(name, Buffer.from(text), mode ?? 0o644)), Buffer.alloc(2 * BLOCK)]));
}

function member(name, content) {
  const head = `${name.padEnd(16)}${'1700000000'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${String(content.length).padEnd(10)}\`\n`;
  return Buffer.concat([Buffer.from(head), content, Buffer.alloc(content.length % 2, '\n')]);
}

/** The bytes of a package for all architectures; `more` are files as path, text and mode. */
export function deb(name, version, more = []) {
  const control = `Package: ${name}\nVersion: ${version}\nArchitecture: all\nMaintainer: Test <test@example.org>\nDescription: for a test\n`;
  return Buffer.concat([
    Buffer.from('!<arch>\n'),
    member('debian-binary', Buffer.from('2.0\n')),
    member('control.tar.gz', tar([['./control', control]])),
    member('data.tar.gz', tar([[`./usr/share/${name}/version`, `${name} ${version}\n`], ...more])),
  ]);
}
