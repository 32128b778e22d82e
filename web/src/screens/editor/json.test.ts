import { describe, expect, it } from 'vitest';
import { lineOf, parseJson } from './json';

describe('reading JSON', () => {
  it('gives what JSON.parse gives, and where each value stands', () => {
    const source = '{\n  "stages": [\n    {"waitTime": -1.5e3, "a b": "x\\n\\u00e9"},\n    true, null\n  ]\n}';
    const read = parseJson(source);
    if (!read.ok) throw new Error(read.error.what);
    expect(read.value).toEqual(JSON.parse(source));
    const at = (path: string) => {
      const span = read.places.get(path);
      return span && source.slice(span.from, span.to);
    };
    expect([at('$.stages[0].waitTime'), at("$.stages[0]['a b']"), at('$.stages[1]'), at('$')]).toEqual(['-1.5e3', '"x\\n\\u00e9"', 'true', source]);
  });

  it('says where and why it cannot be read', () => {
    const check = (source: string, what: string, line: number, column: number) => {
      const read = parseJson(source);
      expect(read.ok ? undefined : [read.error.what, read.error.line, read.error.column], source).toEqual([what, line, column]);
    };
    check('', 'value', 1, 1);
    check('{\n  "a": soon\n}', 'value', 2, 8);
    check('{"a": 1,\n}', 'trailingComma', 1, 8);
    check('[1 2]', 'commaOrBracket', 1, 4);
    check('{"a": 1 "b"', 'commaOrBrace', 1, 9);
    check('{"a" 1}', 'colon', 1, 6);
    check('{a: 1}', 'key', 1, 2);
    check('"abc', 'string', 1, 1);
    check('"a\\x"', 'escape', 1, 1);
    check('{} {}', 'end', 1, 4);
    check('{"a": 1, "a": 2}', 'twice', 1, 10);
    check('01', 'value', 1, 1);
    check('['.repeat(300), 'deep', 1, 202);
  });

  it('keeps a member called __proto__ a member', () => {
    const read = parseJson('{"__proto__": {"x": 1}}');
    expect(read.ok && JSON.stringify(read.value)).toBe('{"__proto__":{"x":1}}');
  });

  it('counts lines and columns from one', () => {
    expect([lineOf('ab\ncd', 0), lineOf('ab\ncd', 4)]).toEqual([
      { line: 1, column: 1 },
      { line: 2, column: 2 },
    ]);
  });
});
