import { describe, expect, it } from 'vitest';
import { map } from '../../api/read';
import { en } from '../../texts/en';
import { askedBy, asking, expectedSchema, isSought, newExpected, usersOf, withArtifactForms } from './artifact-forms';
import { fieldsOf, kindOf } from './schema';

const doc = {
  expectedArtifacts: [{ id: 'a' }, { id: 'artifact-3' }],
  triggers: [{ type: 'webhook', expectedArtifactIds: ['a'] }, { type: 'cron' }, { type: 'git', expectedArtifactIds: [{ id: 'a', own: 1 }, 'b'] }],
  stages: [
    { refId: '1', type: 'bake', requiredArtifactIds: ['a'] },
    { refId: '2', type: 'deploy', clusters: [{ imageArtifactId: 'a' }], name: 'two' },
    { refId: '3', type: 'wait', name: 'a' },
    { refId: '4', type: 'script', expectedArtifacts: [{ id: 'a' }] },
    { refId: '5', type: 'deployManifest', manifestArtifact: { id: 'a' } },
  ],
};

describe('an expected artifact', () => {
  it('is named by triggers and stages', () => {
    const users = usersOf(doc, 'a');
    expect(users.triggers).toEqual([0, 2]);
    expect(users.stages.map((one) => one.refId)).toEqual(['1', '2', '5']);
    expect(usersOf(doc, '')).toEqual({ triggers: [], stages: [] });
  });

  it('is not looked for where nothing asks for it and it comes from nowhere', () => {
    const nobody = { triggers: [], stages: [] };
    expect(isSought({ id: 'a' }, nobody)).toBe(false);
    expect(isSought({ id: 'a' }, { ...nobody, triggers: [1] })).toBe(true);
    expect(isSought({ usePriorArtifact: true }, nobody)).toBe(true);
  });

  it('is asked for without changing how the others are written', () => {
    const git = map(doc.triggers[2]);
    expect(askedBy(git)).toEqual(['a', 'b']);
    expect(asking(git, 'b', false)).toEqual([{ id: 'a', own: 1 }]);
    expect(asking(git, 'c', true)).toEqual([{ id: 'a', own: 1 }, 'b', 'c']);
    expect(asking({ expectedArtifactIds: ['a'] }, 'a', false)).toBeUndefined();
  });

  it('begins with an id that none has', () => expect(newExpected(doc).id).toBe('artifact-4'));

  it('has a form that knows every field it begins with', () => {
    const schema = expectedSchema(en);
    const keys = fieldsOf(schema, schema).map((field) => field.key);
    for (const key of Object.keys(newExpected({}))) expect(keys).toContain(key);
    const match = map(map(schema.properties).matchArtifact);
    expect(kindOf(schema, match, {}).is).toBe('fields');
    expect(kindOf(schema, map(match.properties).type, 'deb')).toMatchObject({ is: 'choice', of: expect.arrayContaining([{ value: 'deb', help: undefined }]) });
  });

  it('has the same form in a stage that may have some', () => {
    const stage = { type: 'object', properties: { expectedArtifacts: { type: 'array', items: { type: 'object' } }, url: { type: 'string' } } };
    const formed = map(withArtifactForms(stage, en).properties);
    expect(Object.keys(formed)).toEqual(['expectedArtifacts', 'url']);
    const kind = kindOf(stage, formed.expectedArtifacts, []);
    expect(kind.is === 'list' && kindOf(stage, kind.of, {}).is).toBe('fields');
  });
});
