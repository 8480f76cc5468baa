/** Generated repositories and mishaps: source `oai-pmh` lists what the repository has, or fails. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { idsIn, openOai, recordsIn } from '../../../support/oai-pmh/open.ts';
import { startOaiProvider } from '../../../support/oai-pmh/provider.ts';
import { titled } from '../../../support/oai-pmh/repository.ts';

const DAY_MS = 86_400_000;
const stamp = fc
  .integer({ min: 0, max: 500 * DAY_MS })
  .map((ms) => `${new Date(Date.UTC(2025, 0, 1) + ms).toISOString().slice(0, 19)}Z`);
const id = fc.string({
  minLength: 1,
  maxLength: 6,
  unit: fc.constantFrom('a', 'Z', '~', 'ä', '\uffee', '😀', '&'),
});
const records = fc.uniqueArray(fc.record({ id, stamp, isDeleted: fc.boolean() }), {
  maxLength: 60,
  selector: (record) => record.id,
});
/** What happens to the requests, one by one. */
const mishaps = fc.array(fc.constantFrom('none', 'none', 'none', 'busy', 'cut', 'reset'), { maxLength: 8 });

const byBytes = (one: string, other: string): number => Buffer.compare(Buffer.from(one), Buffer.from(other));

it('the listing equals the repository, in byte order, whatever happens on the way', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        records,
        mishaps,
        pageSize: fc.integer({ min: 1, max: 12 }),
        tokenLife: fc.constantFrom(1, 2, 4, Infinity),
        granularity: fc.constantFrom('YYYY-MM-DD', 'YYYY-MM-DDThh:mm:ssZ'),
        deletedRecord: fc.constantFrom('no', 'transient', 'persistent'),
        tellsSize: fc.boolean(),
      }),
      async ({ records: given, mishaps: planned, ...rest }) => {
        await using provider = await startOaiProvider();
        Object.assign(provider, rest);
        provider.put(...given.map((record) => ({ ...titled(record.id, record.stamp), ...record })));
        provider.lie = (_, count, usual) => {
          const mishap = planned[count - 1];
          if (mishap === 'busy') return new Response('', { status: 503, headers: { 'retry-after': '0' } });
          if (mishap === 'cut') return new Response(usual.slice(0, usual.length * 0.7));
          if (mishap === 'reset') return new Response('', { status: 500, headers: { 'retry-after': '0' } });
          return undefined;
        };
        const source = openOai(provider, {}, { patienceMs: 60_000 });
        const live = given.filter(({ isDeleted }) => !isDeleted).map((record) => record.id);
        const expected = live.toSorted(byBytes);
        // Tokens that expire within one datestamp end the run: nothing is listed.
        const listed = async <T>(work: Promise<T>): Promise<T | null> =>
          await work.catch((error: unknown) => {
            if (/badResumptionToken/.test(String(error))) return null;
            throw error;
          });
        const found = await listed(recordsIn(source));
        if (found !== null) {
          expect(found.map((record) => record.id)).toEqual(expected);
          expect((await source.evidence()).complete).toBe(true);
        }
        const ids = await listed(idsIn(source));
        if (ids !== null) expect(ids).toEqual(expected);
        if (provider.tokenLife === Infinity) expect([found, ids]).not.toContain(null);
      },
    ),
    { numRuns: 25 },
  );
});
