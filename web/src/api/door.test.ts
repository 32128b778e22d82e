import { afterEach, expect, test, vi } from 'vitest';
import { alone, isShut, opened, through } from './door';

afterEach(() => vi.unstubAllGlobals());

/** A server that answers when it is told to. */
function server() {
  const asked: string[] = [];
  const answers = new Map<string, () => void>();
  vi.stubGlobal('fetch', (path: string) => {
    asked.push(path);
    return new Promise((done) => answers.set(path, () => done(new Response(path))));
  });
  return { asked, answer: (path: string) => answers.get(path)?.() };
}

const settled = () => new Promise((done) => setTimeout(done, 0));

test('what is on its way is answered before, and what comes meanwhile waits', async () => {
  const { asked, answer } = server();
  const before = through('/before');
  await settled();
  const order: string[] = [];
  let finish = () => {};
  const work = alone(() => {
    order.push('begins');
    return new Promise<string>((done) => (finish = () => done('the token')));
  });
  const meanwhile = through('/meanwhile');
  await settled();
  expect([isShut(), order, asked]).toEqual([true, [], ['/before']]);
  answer('/before');
  expect(await (await before).text()).toBe('/before');
  await settled();
  expect([order, asked]).toEqual([['begins'], ['/before']]);
  finish();
  expect(await work).toBe('the token');
  await settled();
  expect([isShut(), asked]).toEqual([false, ['/before', '/meanwhile']]);
  answer('/meanwhile');
  expect((await meanwhile).ok).toBe(true);
});

test('the door opens again when the work fails', async () => {
  server();
  await expect(alone(() => Promise.reject(new Error('there is a token ci already')))).rejects.toThrow('there is a token ci already');
  await opened();
  expect(isShut()).toBe(false);
});
