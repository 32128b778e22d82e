import { describe, expect, it } from 'vitest';
import { en as t } from '../../texts/en';
import { creation, problemsOfNew } from './naming';

describe('a new application', () => {
  const problems = (name: string, email = 'me@example.org') => problemsOfNew({ name, email, description: '' }, ['shop'], t);
  it('has a name of letters, digits, dot, underscore and hyphen', () => {
    for (const good of ['hello', 'Hello', 'my.app', 'my_app', 'my-app', ' hello ']) expect(problems(good), good).toEqual({});
    for (const bad of ['a b', '-x', '.x', '결제', 'a/b', 'x'.repeat(251)]) expect(problems(bad).name?.why, bad).toContain('cannot be the name');
  });
  it('is not one that is there, whatever the capitals', () => expect(problems('Shop').name?.why).toContain('already'));
  it('has an owner', () => {
    expect(problems('hello', '').email?.missing).toBe(true);
    expect(problems('hello', 'me').email?.why).toBe('"me" is no e-mail address');
  });
  it('is asked for under the name that is kept', () => {
    const asked = creation({ name: 'Hello', email: 'me@example.org', description: '' });
    expect(asked.application).toBe('hello');
    expect(asked.job.application).toEqual({ name: 'hello', email: 'me@example.org' });
  });
});
