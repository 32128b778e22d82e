import { QueryObserver } from '@tanstack/react-query';
import { expect, test } from 'vitest';
import { Answers } from './cache';

/** A question whose answers come when they are told to, each with what was so when it was asked. */
function asked(answers: Answers) {
  let now = 'running';
  const waiting: (() => void)[] = [];
  const observer = new QueryObserver(answers, {
    queryKey: ['run', 'a', 'task'],
    queryFn: () => {
      const then = now;
      return new Promise<string>((done) => waiting.push(() => done(then)));
    },
  });
  const end = observer.subscribe(() => undefined);
  const settled = () => new Promise((done) => setTimeout(done, 0));
  return {
    becomes: (word: string) => (now = word),
    answer: async () => {
      waiting.splice(0).forEach((done) => done());
      await settled();
      await settled();
    },
    data: () => observer.getCurrentResult().data,
    count: () => answers.getQueryCache().find({ queryKey: ['run', 'a', 'task'] })?.state.dataUpdateCount,
    end,
  };
}

test('a change that comes while the first answer is on its way is not missed', async () => {
  const answers = new Answers();
  const task = asked(answers);
  task.becomes('succeeded');
  const renewed = answers.invalidateQueries({ queryKey: ['run', 'a'] });
  await task.answer();
  expect(task.data()).toBe('running');
  await task.answer();
  await renewed;
  expect(task.data()).toBe('succeeded');
  task.end();
});

test('what nobody waits for is asked for once', async () => {
  const answers = new Answers();
  const task = asked(answers);
  await task.answer();
  task.becomes('succeeded');
  const renewed = answers.invalidateQueries({ queryKey: ['run', 'a'] });
  await task.answer();
  await renewed;
  expect([task.data(), task.count()]).toEqual(['succeeded', 2]);
  task.end();
});
