import { describe, expect, it } from 'vitest';
import { makeTokenSaid, revokeTokenSaid, type Token } from '../../api/tokens';
import { en } from '../../texts/en';
import { afterwards, may, wrongName } from './tokens';

const token = (name: string, role = 'admin'): Token => ({ name, role, application: undefined, publication: undefined, repository: undefined, made: undefined });

describe('a new token', () => {
  it('has a name that can stand in a log and in a path, and that no other has', () => {
    for (const good of ['ci', 'Kim of the shop', '빌드', '...', '😀'.repeat(64)]) expect(wrongName(good, [token('kim')], en), good).toBeUndefined();
    for (const bad of ['', 'a/b', 'a\nb', '.', '..', 'x'.repeat(65)]) expect(wrongName(bad, [], en), bad).toBe(en.tokens.badName);
    expect(wrongName('kim', [token('kim')], en)).toBe(en.tokens.taken);
  });

  it('is the same by command and by request', () => {
    expect(makeTokenSaid('http://localhost:9000', { name: 'the ci', role: 'operator', application: 'shop' })).toEqual({
      command: "gennaker token create 'the ci' --role operator --application shop --server http://localhost:9000",
      request: `curl -fsS -X POST http://localhost:9000/ui-api/tokens -H 'Content-Type: application/json' -d '{"name":"the ci","role":"operator","application":"shop"}'`,
    });
    const first = makeTokenSaid('http://localhost:9000', { name: '', role: 'admin', application: '' });
    expect(first.command).toBe('gennaker token create NAME --role admin --server http://localhost:9000');
    expect(first.request).toContain(`-d '{"name":"NAME","role":"admin"}'`);
  });
});

describe('what a bearer may', () => {
  it('is said in words, less of a token for one application', () => {
    const of = { application: undefined };
    expect(may({ ...of, role: 'operator' }, en)).toBe('may look, run pipelines, deploy and roll back');
    expect(may({ ...of, role: 'operator', application: 'shop' }, en)).toBe('may look at this application, and start, judge and stop its pipelines');
    expect(may({ ...of, role: 'viewer', publication: 'team/a' }, en)).toBe('may read its packages');
    expect(may({ ...of, role: 'operator', repository: 'mine' }, en)).toBe('may upload to it');
  });
  it('is nothing of a role that this page does not know', () => expect(may({ role: 'toString', application: undefined }, en)).toBeUndefined());
});

describe('revoking a token', () => {
  it('says that nobody needs one after the last', () => expect(afterwards('kim', [token('kim')], 'kim', en)).toBe(en.tokens.revokeLast));
  it('says that one came in with it', () => expect(afterwards('kim', [token('kim'), token('lee')], 'kim', en)).toBe(en.tokens.revokeOwn));
  it('says no more of another’s', () => expect(afterwards('lee', [token('kim'), token('lee')], 'kim', en)).toBeUndefined());
  it('is the same by command and by request', () =>
    expect(revokeTokenSaid('http://localhost:9000', 'the ci')).toEqual({
      command: "gennaker token revoke 'the ci' --server http://localhost:9000",
      request: 'curl -fsS -X DELETE http://localhost:9000/ui-api/tokens/the%20ci',
    }));
});
