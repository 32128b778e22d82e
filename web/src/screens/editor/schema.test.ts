import { describe, expect, it } from 'vitest';
import { applied, complete, isInside, namesOf } from './complete';
import { arranged, fieldsOf, firstValue, fits, kindOf, resolved, wordsOf, type Schema } from './schema';

// As schemars writes it.
const root: Schema = {
  type: 'object',
  required: ['waitTime'],
  properties: {
    skip: { type: ['boolean', 'null'], description: 'Ends it at once.', default: null },
    waitTime: { type: 'integer', format: 'int64', minimum: 0, description: 'How long, in seconds.' },
    capacity: { anyOf: [{ $ref: '#/$defs/Capacity' }, { type: 'null' }] },
    strategy: { oneOf: [{ const: 'none', type: 'string' }, { const: 'redblack', type: 'string', description: 'One after the other.' }] },
    target: { $ref: '#/$defs/Capacity', description: 'Beside.' },
    command: { anyOf: [{ type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'number' }] } }, { type: 'string' }] },
    method: { type: 'string', enum: ['GET', 'POST'] },
    payload: true,
    headers: { type: 'object', additionalProperties: true },
    refId: { anyOf: [{ type: 'string' }, { type: 'number' }] },
    odd: { allOf: [{ $ref: '#/$defs/Capacity' }] },
  },
  $defs: { Capacity: { type: 'object', properties: { min: { type: 'integer' } } } },
};
const properties = root.properties as Record<string, unknown>;
const kind = (key: string, value?: unknown) => kindOf(root, properties[key], value).is;

describe('the form of a schema', () => {
  it('finds the control for each shape', () => {
    const all = Object.fromEntries(Object.keys(properties).map((key) => [key, kind(key)]));
    expect(all).toEqual({
      skip: 'flag', waitTime: 'number', capacity: 'fields', strategy: 'choice', target: 'fields', command: 'list',
      method: 'choice', payload: 'json', headers: 'json', refId: 'text', odd: 'fields',
    });
  });

  it('takes of several kinds that of the value', () => {
    expect([kind('command', 'make all'), kind('command', ['make'])]).toEqual(['text', 'list']);
    expect(kindOf(root, properties.strategy, 'none')).toEqual({ is: 'choice', of: [{ value: 'none' }, { value: 'redblack', help: 'One after the other.' }] });
  });

  it('names the fields, the required ones first', () => {
    const fields = fieldsOf(root, root);
    expect(fields[0]).toMatchObject({ key: 'waitTime', label: 'Wait time', help: 'How long, in seconds.', required: true });
    expect(fields.find((field) => field.key === 'target')?.help).toBe('Beside.');
    expect(fields.find((field) => field.key === 'skip')?.preset).toBe(undefined);
    expect([wordsOf('stageTimeoutMs'), wordsOf('sourceURLPath'), wordsOf('statusUrlJsonPath'), wordsOf('a_b')]).toEqual(['Stage timeout ms', 'Source URL path', 'Status URL JSON path', 'A b']);
  });

  it('opens what is set, what people look for and a few more, and keeps the order', () => {
    const keys = ['credentials', 'zones', 'cluster', 'x1', 'x2', 'x3', 'x4', 'x5', 'strategy', 'account'];
    const fields = keys.map((key) => ({ key, label: key, help: undefined, preset: undefined, required: key === 'x5', schema: {} }));
    expect(arranged(fields, { zones: [] })).toEqual({ open: ['zones', 'x5', 'account', 'strategy', 'cluster', 'credentials', 'x1'], more: ['x2', 'x3', 'x4'] });
    expect(arranged(fields.slice(0, 4), {})).toEqual({ open: ['cluster', 'credentials', 'zones', 'x1'], more: [] });
  });

  it('knows which values a control cannot show', () => {
    expect([fits({ is: 'flag' }, 'maybe'), fits({ is: 'flag' }, 'true'), fits({ is: 'text' }, {}), fits({ is: 'list', of: {} }, 'x'), fits({ is: 'fields', of: {} }, [])]).toEqual([false, true, false, false, false]);
  });

  it('begins new entries, and does not run in a circle', () => {
    expect([firstValue(root, { type: 'string' }), firstValue(root, { type: 'integer' }), firstValue(root, { enum: ['a'] }), firstValue(root, {})]).toEqual(['', 0, 'a', {}]);
    const circle: Schema = { $defs: { A: { $ref: '#/$defs/A' } } };
    expect(() => kindOf(circle, { $ref: '#/$defs/A' }, undefined)).not.toThrow();
    expect(resolved(root, { $ref: '#/nowhere' })).toEqual({});
  });
});

describe('completion', () => {
  const names = namesOf(['version', 'a b'], ['Ship it'], [{ name: 'judgment', description: 'What was chosen.' }], { trigger: 't', parameter: 'p', stage: 's' });
  const offered = (text: string) => complete(text, text.length, names)?.offers.map((offer) => offer.insert);

  it('offers names only inside an expression', () => {
    expect(offered('parameters')).toBe(undefined);
    expect(isInside('${a} b', 6)).toBe(false);
    expect(offered('${para')).toEqual(['parameters.version', "parameters['a b']", 'parameters']);
    expect(offered("x ${ #stage('Sh")).toEqual(["#stage('Ship it')"]);
    expect(offered('${#ju')).toEqual(['#judgment(']);
    expect(offered('${vers')).toEqual(['parameters.version']);
    expect(offered('${nothing')).toBe(undefined);
  });

  it('puts the name where the word stood', () => {
    const text = '${para} rest';
    const found = complete(text, 6, names);
    expect(found?.offers[0] && applied(text, found, found.offers[0])).toEqual({ text: '${parameters.version} rest', caret: 20 });
  });
});
