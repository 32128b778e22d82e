import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { renewal } from './renewal';
import { joined } from './topics';

describe('asking again for what has become old', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const answersAfter = (ms: number) => {
    const asked: string[] = [];
    const one = renewal((key) => {
      asked.push(key.join('/'));
      return new Promise((done) => setTimeout(done, ms));
    }, joined);
    return { ...one, asked };
  };

  it('gathers changes for a moment', async () => {
    const { renew, asked } = answersAfter(10);
    renew([['runs']]);
    renew([['runs', 'shop'], ['home']]);
    expect(asked).toEqual([]);
    await vi.advanceTimersByTimeAsync(150);
    expect(asked).toEqual(['runs', 'home']);
  });

  it('goes at the pace of the answers, and misses no change', async () => {
    const { renew, asked } = answersAfter(1000);
    for (let at = 0; at < 100; at++) {
      renew([['serverGroups']]);
      await vi.advanceTimersByTimeAsync(50);
    }
    expect(asked.length).toBe(3);
    await vi.advanceTimersByTimeAsync(4000);
    // The last change came after the third was asked for.
    expect(asked.length).toBe(4);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked.length).toBe(4);
  });

  it('lets no slow answer hold up another', async () => {
    const { renew, asked } = answersAfter(5000);
    renew([['serverGroups']]);
    await vi.advanceTimersByTimeAsync(200);
    renew([['runs']]);
    await vi.advanceTimersByTimeAsync(200);
    expect(asked).toEqual(['serverGroups', 'runs']);
  });

  it('asks again though an answer never came', async () => {
    const { renew, asked } = answersAfter(1e9);
    renew([['tasks']]);
    await vi.advanceTimersByTimeAsync(1000);
    renew([['tasks']]);
    await vi.advanceTimersByTimeAsync(7000);
    expect(asked).toEqual(['tasks', 'tasks']);
  });
});
