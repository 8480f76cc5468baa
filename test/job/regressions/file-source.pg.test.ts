/** Former faults with a SOURCE_FILE, each reproduced with the whole program: checks the live data and the messages. */

import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { lines, someRows } from '../support/fake-source.ts';
import { type Setup, setup } from '../support/setup.ts';
import { sourceFile } from '../support/source-file.ts';

const DAY_MS = 86_400_000;
const end = (total: number): string => `${JSON.stringify({ end: true, total })}\n`;
const record = (id: string, at: string, name: string): string =>
  `{"id":"${id}","updated_at":"${at}","name":${name}}\n`;
const first = record('1', '2026-11-01T00:00:00Z', '"one"');
const last = (t: Setup) => t.receiver.reports.at(-1);
const count = async (t: Setup): Promise<number> => Object.keys((await t.names()) ?? {}).length;

describe('a SOURCE_FILE', () => {
  it('that is truncated every night loses no record, and every delete is refused (A4)', async () => {
    const file = sourceFile(lines(someRows(1000)));
    await using t = await setup();
    expect((await t.run('sync', file.environment)).code).toBe(EXIT.ok);
    for (const left of [950, 870, 790]) {
      file.write(lines(someRows(left)));
      expect((await t.run('delete', file.environment)).code).toBe(EXIT.incompleteListing);
      expect((await t.run('sync', file.environment)).code).toBe(EXIT.ok);
      expect(last(t)).toMatchObject({ kept: 1000 - left, deleted: 0, listing: 'unproven' });
      expect(last(t)?.warnings?.[0]).toContain('not proven complete, so records that it lacks stay');
    }
    expect(await count(t)).toBe(1000);
  });

  it('that was proven complete once must be proven complete every time (A4)', async () => {
    const file = sourceFile(lines(someRows(100)) + end(100));
    await using t = await setup();
    expect((await t.run('sync', file.environment)).code).toBe(EXIT.ok);
    const before = await t.md5();
    file.write(lines(someRows(95)));
    for (const action of ['sync', 'delete']) {
      expect((await t.run(action, file.environment)).code).toBe(EXIT.incompleteListing);
      expect(last(t)?.message).toContain('the last listing was proven complete, and this one is not');
    }
    expect(await t.md5()).toBe(before);
  });

  it.each(['delta', 'sync'])(
    'has no modification times: %s finds records written before the download (A6)',
    async (action) => {
      const file = sourceFile(record('1', '2026-11-28T01:00:00Z', '"old"'));
      await using t = await setup();
      await t.run('sync', file.environment);
      file.write(
        record('1', '2026-11-28T03:00:00Z', '"new"') + record('2', '2026-11-28T04:00:00Z', '"added"'),
        -DAY_MS,
      );
      expect((await t.run(action, file.environment)).code).toBe(EXIT.ok);
      expect(await t.names()).toEqual({ 1: 'new', 2: 'added' });
      expect((await t.sink()).watermark).toBeNull();
    },
  );

  it.each(['delta', 'sync'])(
    'may contain a leap second: %s reads it as the end of its day (A18)',
    async (action) => {
      const file = sourceFile(first);
      await using t = await setup();
      await t.run('sync', file.environment);
      file.write(first + record('2', '2026-11-29T23:59:60Z', '"leap"'));
      expect((await t.run(action, file.environment)).code).toBe(EXIT.ok);
      const [row] = await t.query<{ at: Date }>(`SELECT updated_at AS at FROM cities WHERE id = '2'`);
      expect(row?.at.toISOString()).toBe('2026-11-29T23:59:59.999Z');
    },
  );

  it.each<[string, string | Buffer, RegExp]>([
    ['half an emoji', record('2', '2026-11-01T00:00:00Z', '"\\ud83d"'), /half of a surrogate pair/],
    [
      'a byte that is not UTF-8',
      Buffer.from(record('2', '2026-11-01T00:00:00Z', '"caf\xe9"'), 'latin1'),
      /not UTF-8/,
    ],
    [
      '9,000 levels',
      record('2', '2026-11-01T00:00:00Z', `${'['.repeat(9000)}${']'.repeat(9000)}`),
      /nested 9001 levels deep/,
    ],
    ['a day that does not exist', record('2', '2023-02-29T00:00:00Z', '2'), /not a valid time/],
    ['an id of 9,000 bytes', record('2'.repeat(9000), '2026-11-01T00:00:00Z', '2'), /more than 1,000 bytes/],
    [
      'an id that is half a character (A20)',
      record('2\\ud800', '2026-11-01T00:00:00Z', '2'),
      /half of a surrogate pair/,
    ],
  ])(
    'with %s fails and names the line without changing anything; MAX_REJECTED sets the record aside (A19)',
    async (_, bad, why) => {
      const file = sourceFile(first.replace('one', 'before'));
      await using t = await setup();
      await t.run('sync', file.environment);
      file.write(Buffer.concat([Buffer.from(first), Buffer.from(bad as string)]));
      expect((await t.run('sync', file.environment)).code).toBe(EXIT.recordsRejected);
      expect(last(t)?.message).toMatch(/line 2 of /);
      expect(last(t)?.failed_items?.[0]?.why).toMatch(why);
      expect(await t.names()).toEqual({ 1: 'before' });
      expect((await t.run('sync', { ...file.environment, MAX_REJECTED: '5' })).code).toBe(EXIT.ok);
      expect(last(t)).toMatchObject({
        failed: 1,
        failed_items: [{ why: expect.stringMatching(why) as string }],
      });
      expect(await t.names()).toEqual({ 1: 'one' });
    },
  );

  it('with a bad record keeps the live record of its id (A19)', async () => {
    const file = sourceFile(first + record('2', '2026-11-01T00:00:00Z', '"two"') + end(2));
    await using t = await setup();
    await t.run('sync', file.environment);
    file.write(first.replace('one', 'new') + record('2', '2026-11-01T25:61:00Z', '"bad"') + end(2));
    expect((await t.run('sync', { ...file.environment, MAX_REJECTED: '1' })).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual({ 1: 'new', 2: 'two' });
    expect(last(t)?.failed_items).toEqual([
      { id: '2', why: expect.stringContaining('line 2 of ') as string },
    ]);
  });

  it('keeps all digits of numbers that JavaScript cannot hold (A21)', async () => {
    const file = sourceFile(record('1', '2026-11-01T00:00:00Z', '[1e400,-1E-3,9007199254740993,1.10]'));
    await using t = await setup();
    expect((await t.run('sync', file.environment)).code).toBe(EXIT.ok);
    const [row] = await t.query<{ text: string }>(`SELECT record->>'name' AS text FROM cities`);
    expect(row?.text).toBe(`[1${'0'.repeat(400)}, -0.001, 9007199254740993, 1.10]`);
  });

  it('with a bad record reveals none of its data, not even in the log of the sink (A32)', async () => {
    const file = sourceFile(first + record('2', '2026-11-01T00:00:00Z', '"geheim \\ud83d"'));
    await using t = await setup();
    const { output } = await t.run('sync', file.environment);
    expect(output + JSON.stringify(t.receiver.reports)).not.toContain('geheim');
    // The sink cannot log what it was never sent: no load holds a record, and no statement failed.
    const [failed] = await t.query<{ rolled: string }>(
      `SELECT xact_rollback AS rolled FROM pg_stat_database WHERE datname = current_database()`,
    );
    expect(Number(failed?.rolled)).toBe(0);
    expect(await t.loaded()).toBeNull();
  });
});
