import { describe, expect, it } from 'vitest';
import { startSaid } from './actions';
import { firstChoice, readVersions, takesVersions } from './versions';

const told = readVersions({
  versions: [
    { package: 'hello', version: '2', architecture: 'amd64', publication: 'stable', published: 7, uploaded: 5, uploadedBy: 'terry', heldBack: 'it was rolled back', trigger: { type: 'apt', package: 'hello', version: '2', root: '/a' } },
    { package: 'hello', version: '1', architecture: 'amd64', publication: 'stable', published: null, uploadedBy: null, heldBack: null, trigger: { type: 'apt', package: 'hello', version: '1', root: '/a' } },
  ],
  cut: true,
});

describe('the versions that a pipeline can be started with', () => {
  it('are told apart', () => {
    expect(told.cut).toBe(true);
    expect(new Set(told.versions.map((one) => one.key)).size).toBe(2);
    expect(told.versions[1]).toMatchObject({ published: undefined, uploadedBy: undefined, heldBack: undefined });
  });

  it('begin with the newest that is not held back', () => {
    expect(firstChoice(told)?.version).toBe('1');
    expect(firstChoice(readVersions({}))).toBeUndefined();
  });

  it('are asked for only where a publication starts it', () => {
    expect(takesVersions([{ type: 'cron' }, { type: 'apt', package: 'hello' }])).toBe(true);
    expect(takesVersions([{ type: 'apt', mirror: 'upstream' }])).toBe(false);
  });

  it('give the run what the event would have given, with the parameters beside it', () => {
    const said = startSaid('http://h', 'shop', 'ship', { a: '1' }, { type: 'apt', package: 'hello', parameters: { b: '2' } });
    expect(said.command).toBeUndefined();
    expect(said.request).toContain('{"type":"apt","package":"hello","parameters":{"b":"2","a":"1"}}');
  });
});
