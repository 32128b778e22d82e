import { describe, expect, it } from 'vitest';
import { askedOf, isQuery } from './query';

describe('what is typed over packages', () => {
  it('filters as long as it is words', () => {
    for (const typed of ['', 'hello', 'hello 1.0', '라이브러리', 'lib_foo']) expect(isQuery(typed), typed).toBe(false);
  });
  it('is a query with an operator, or as a package is named whole', () => {
    for (const typed of ['Name (~ hello)', 'nginx (>= 1.2)', 'a | b', '!a', '$Version', 'hello_1.0_amd64']) expect(isQuery(typed), typed).toBe(true);
  });
  it('is asked of the server as a query, and as a word only where the page has not all', () => {
    expect(askedOf('$Version', true)).toBe('$Version');
    expect(askedOf('hello', true)).toBeUndefined();
    expect(askedOf('  ', false)).toBeUndefined();
    expect(askedOf('lib* 1.0', false)).toBe('(Name (% "*lib?*") | $Version (% "*lib?*")), (Name (% "*1.0*") | $Version (% "*1.0*"))');
  });
});
