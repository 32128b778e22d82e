import { describe, expect, it } from 'vitest';
import { ofKey } from '../../api/aptly';
import { differences } from './differences';

describe('the difference of two snapshots', () => {
  it('names what came, what went and what has another version', () => {
    const rows = [
      { left: 'Pamd64 hello 1.0 aa', right: 'Pamd64 hello 2.0 bb' },
      { left: 'Pall old 1 cc', right: undefined },
      { left: undefined, right: 'xDPsource new 3 dd' },
      { left: undefined, right: undefined },
    ];
    expect(differences(rows)).toEqual([
      { what: 'changed', name: 'hello', architecture: 'amd64', before: '1.0', after: '2.0' },
      { what: 'removed', name: 'old', architecture: 'all', before: '1', after: undefined },
      { what: 'added', name: 'new', architecture: 'source', before: undefined, after: '3' },
    ]);
  });
  it('reads a key that is none without breaking', () => expect(ofKey('')).toEqual({ architecture: '', name: '', version: '' }));
});
