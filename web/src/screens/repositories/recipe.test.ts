import { describe, expect, it } from 'vitest';
import type { Publication } from '../../api/repositories';
import { recipes } from './recipe';

const publication: Publication = {
  root: '/root', prefix: 'debian/main', distribution: 'stable', components: ['main'], architectures: ['amd64'], sources: ['shop'], ofSnapshots: false, signed: false, line: '',
};

const text = (kind: string, published?: Publication) => recipes('http://host:8084', 'shop', published).find((one) => one.kind === kind)?.text ?? '';

describe('a recipe', () => {
  it('uploads and adds with curl, and publishes where the repository is published', () => {
    expect(text('curl')).toBe(['file=hello_1.0_amd64.deb', 'folder=up-$$', 'curl -fsS -T "$file" http://host:8084/api/files/$folder/', 'curl -fsS -X POST http://host:8084/api/repos/shop/file/$folder'].join('\n'));
    expect(text('curl', publication).split('\n').pop()).toBe(`curl -fsS -X PUT -H 'Content-Type: application/json' -d '{"Signing":{"Skip":true}}' http://host:8084/api/publish/:debian_main/stable`);
  });
  it('stands in a shell block of Jenkins without ending its text', () => {
    const [, block = ''] = text('jenkins', publication).split("'''");
    expect(block).not.toContain("'");
    expect(block).toContain('-d "{\\\\"Signing\\\\":{\\\\"Skip\\\\":true}}"');
  });
  it('is for dput a host and a folder', () => expect(text('dput')).toContain('fqdn = host:8084\nmethod = http\nincoming = /api/files/up'));
});
