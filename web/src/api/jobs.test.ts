import { describe, expect, it } from 'vitest';
import { taskSaid } from './jobs';

describe('a job as a command', () => {
  const said = (job: Record<string, unknown>) => taskSaid('http://127.0.0.1:9000', { application: 'hello', description: 'x', job: { type: 'createServerGroup', ...job } }).command;
  it('leads into objects by dots', () =>
    expect(said({ region: 'local', capacity: { min: 1, desired: 2 } })).toBe('gennaker task run createServerGroup -a hello region=local capacity.min=1 capacity.desired=2 --server http://127.0.0.1:9000'));
  it('writes lists as JSON', () => expect(said({ loadBalancers: ['hello'] })).toContain(`'loadBalancers=["hello"]'`));
  it('keeps a text that looks like a number a text', () => expect(said({ port: '8080' })).toContain(`'port="8080"'`));
  it('does not take a key apart that has a dot or nothing in it', () => {
    expect(said({ env: { 'A.B': 'c' } })).toContain(`'env={"A.B":"c"}'`);
    expect(said({ env: {} })).toContain(`'env={}'`);
  });
});
