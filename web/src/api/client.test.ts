import { describe, expect, it } from 'vitest';
import { Refused, answer } from './client';

const refused = async (status: number, headers: Record<string, string>): Promise<string> => {
  const response = new Response(null, { status, statusText: 'Odd', headers });
  const why: unknown = await answer(Promise.resolve({ error: { message: 'the disk is full' }, response })).catch((error: unknown) => error);
  return why instanceof Refused ? why.message : 'nothing was thrown';
};

describe('answer', () => {
  it('names the request of an error of the server', async () => {
    expect(await refused(500, { 'X-Request-Id': '01M8MC046F' })).toBe('the disk is full (X-Request-Id: 01M8MC046F)');
    expect(await refused(503, {})).toBe('the disk is full');
  });

  it('does not name it where the caller knows what to do', async () => {
    expect(await refused(404, { 'X-Request-Id': '01M8MC046F' })).toBe('the disk is full');
  });
});
