import { describe, expect, it } from 'vitest';
import { withLast, writeInOrder } from '../../src/job/write-in-order.ts';
import { collect } from './support/fake-source.ts';

async function* numbers(count: number): AsyncGenerator<number> {
  for (let at = 1; at <= count; at += 1) yield at;
}

describe('writing in order', () => {
  it.each([1, 2, 5])(
    'commits in order whatever batch finishes first, with a concurrency of %i',
    async (concurrency) => {
      const committed: number[] = [];
      let inHand = 0;
      let most = 0;
      await writeInOrder({
        batches: numbers(20),
        concurrency,
        stop: new AbortController().signal,
        write: async (batch, turn) => {
          most = Math.max(most, (inHand += 1));
          if (batch % 2 === 1) await new Promise(setImmediate);
          await turn;
          committed.push(batch);
          inHand -= 1;
        },
      });
      expect(committed).toEqual(await collect(numbers(20)));
      expect(most).toBe(concurrency);
    },
  );

  it('commits nothing after a failure, and throws the first error', async () => {
    const committed: number[] = [];
    const writing = writeInOrder({
      batches: numbers(20),
      concurrency: 4,
      stop: new AbortController().signal,
      write: async (batch, turn) => {
        if (batch === 3) throw new Error('third');
        await turn;
        committed.push(batch);
      },
    });
    await expect(writing).rejects.toThrow('third');
    expect(committed).toEqual([1, 2]);
  });

  it('finishes running batches when stopped and begins no other', async () => {
    const stop = new AbortController();
    const committed: number[] = [];
    const writing = writeInOrder({
      batches: numbers(20),
      concurrency: 2,
      stop: stop.signal,
      write: async (batch, turn) => {
        if (batch === 2) stop.abort(new Error('enough'));
        await new Promise(setImmediate);
        await turn;
        committed.push(batch);
      },
    });
    await expect(writing).rejects.toThrow('enough');
    expect(committed).toEqual([1, 2]);
  });

  it('marks the last item only after the items have ended without error', async () => {
    expect(await collect(withLast(numbers(2)))).toEqual([
      { item: 1, last: false },
      { item: 2, last: true },
    ]);
    async function* failing(): AsyncGenerator<number> {
      yield 1;
      throw new Error('cut');
    }
    await expect(collect(withLast(failing()))).rejects.toThrow('cut');
  });
});
