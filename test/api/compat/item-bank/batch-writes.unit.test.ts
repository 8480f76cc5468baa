/** Hooks that come at the same time are written together, and each learns the outcome of its own write. */
import { expect, test } from 'vitest';
import { BatchWrites } from '../../../../src/api/compat/item-bank/batch-writes.ts';

test('everything that arrives during a write is written together in the next', async () => {
  const writes: (readonly string[])[] = [];
  const first = Promise.withResolvers<void>();
  const wanted = new BatchWrites(async (items) => {
    writes.push(items);
    if (writes.length === 1) await first.promise;
  });
  const one = wanted.add('1');
  await expect.poll(() => writes).toEqual([['1']]);
  const others = Promise.all(['2', '3', '2'].map((item) => wanted.add(item)));
  expect(writes).toHaveLength(1);
  first.resolve();
  await Promise.all([one, others]);
  expect(writes).toEqual([['1'], ['2', '3']]);
  await wanted.add('1');
  expect(writes).toEqual([['1'], ['2', '3'], ['1']]);
});

test('a failed write rejects only those who waited for it', async () => {
  let fails = true;
  const wanted = new BatchWrites(() => (fails ? Promise.reject(new Error('away')) : Promise.resolve()));
  const lost = Promise.allSettled([wanted.add('1'), wanted.add('2')]);
  expect((await lost).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  fails = false;
  await wanted.add('1');
});
