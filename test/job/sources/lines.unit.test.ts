import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Line, linesOf, TruncatedError, UnreadableLine } from '../../../src/job/sources/lines.ts';
import { collect } from '../support/fake-source.ts';

async function linesIn(chunks: Iterable<Uint8Array>, lastNeedsEnd = false): Promise<Line[]> {
  const stream = (async function* () {
    yield* chunks;
  })();
  return (await collect(linesOf(stream, { lastNeedsEnd }))).flat();
}

it('lines are the same for any split of their bytes into chunks', async () => {
  const content = fc.array(
    fc.string({ unit: 'binary', maxLength: 5 }).map((text) => text.replaceAll('\n', ' ')),
    {
      maxLength: 6,
    },
  );
  await fc.assert(
    fc.asyncProperty(content, fc.array(fc.nat(40), { maxLength: 8 }), async (lines, cuts) => {
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].toSorted(
        (a, b) => a - b,
      );
      const chunks = at.map((start, index) => bytes.subarray(start, at[index + 1] ?? bytes.length));
      const [first = '', ...more] = lines;
      expect(await linesIn(chunks)).toEqual(
        lines.length === 0 ? [] : [first.replace(/^\uFEFF/, ''), ...more],
      );
    }),
    { numRuns: 300 },
  );
});

it('the last line must end with a newline if that is required', async () => {
  const chunks = [Buffer.from('a\nb')];
  expect(await linesIn(chunks)).toEqual(['a', 'b']);
  await expect(linesIn(chunks, true)).rejects.toThrow(TruncatedError);
});

it('lines that are too long are not kept in memory', async () => {
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  function* chunks(): Generator<Uint8Array> {
    for (let count = 0; count < 800; count += 1) {
      yield Buffer.alloc(1024 * 1024, 'x');
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    yield Buffer.from('\nb\n');
  }
  expect(await linesIn(chunks())).toEqual([expect.any(UnreadableLine), 'b']);
  expect(most).toBeLessThan(400 * 1024 * 1024);
});
