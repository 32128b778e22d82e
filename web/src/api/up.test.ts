import { describe, expect, it } from 'vitest';
import { NO_WISH, upSaid } from './up';

describe('a service of a package file', () => {
  it('is the same as a command and as requests', () => {
    const said = upSaid('http://h', 'hello_1.0_all.deb', { ...NO_WISH, port: '8090', check: '/health', account: 'prod' });
    expect(said.command).toBe('gennaker up hello_1.0_all.deb --port 8090 --check /health --account prod --server http://h');
    expect(said.request).toContain('curl -fsS -T hello_1.0_all.deb http://h/api/files/up/hello_1.0_all.deb && ');
    expect(said.request).toContain('{"file":"up/hello_1.0_all.deb","plan":false,"port":8090,"check":"/health","account":"prod"}');
  });
});
