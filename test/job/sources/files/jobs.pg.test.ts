/** Jobs from files into the sink's Postgres. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { type Setup, setup } from '../../support/setup.ts';
import { runStoppedLoad } from '../../support/stopped-load.ts';
import { folder, parquetOf } from './support/folder.ts';

type Rows = Record<string, string>;

const last = (t: Setup) => t.receiver.reports.at(-1);
const some = (count: number): Rows =>
  Object.fromEntries(
    Array.from({ length: count }, (_, at) => [`r${String(at + 1).padStart(4, '0')}`, 'first']),
  );
const csv = (rows: Rows): string =>
  `id,name\n${Object.entries(rows)
    .toReversed()
    .map(([id, name]) => `${id},${name}\n`)
    .join('')}`;
const settings = (path: string, more: Rows = {}) => ({
  SOURCE: 'files',
  SOURCE_PATH: path,
  SOURCE_ID: 'id',
  ...more,
});

/** @throws unless the run succeeds */
async function run(t: Setup, options: string, environment: Rows): Promise<string> {
  const { code, output } = await t.run(options, environment);
  expect([code, output]).toEqual([EXIT.ok, output]);
  return output;
}

describe('a target with files', () => {
  it('is synchronised by sync, delta, delete and diff, and a night without changes writes nothing', async () => {
    const drop = folder();
    const rows = some(60);
    const path = drop.put('places.csv.gz', gzipSync(csv(rows)));
    const put = (): void => void drop.put('places.csv.gz', gzipSync(csv(rows)));
    await using t = await setup();
    const output = await run(t, 'sync', settings(path));
    expect(last(t)).toMatchObject({ added: 60, listing: 'complete', records_total: 60, records_done: 60 });
    expect(output).toContain(`${path} -> `);
    expect((await t.sink()).watermark).toBeNull();
    const before = await t.md5();
    put();
    for (const action of ['sync', 'delta']) {
      await run(t, action, settings(path));
      expect(last(t)).toMatchObject({ added: 0, updated: 0, deleted: 0 });
    }
    expect(await t.md5()).toBe(before);

    Object.assign(rows, { r0007: 'second', r0100: 'new' });
    delete rows['r0001'];
    put();
    await run(t, 'delta', settings(path));
    expect(last(t)).toMatchObject({ added: 1, updated: 1, deleted: 0 });
    const newer = await t.query(
      `SELECT id FROM cities WHERE updated_at > (SELECT min(updated_at) FROM cities) ORDER BY id`,
    );
    expect(newer).toEqual([{ id: 'r0007' }, { id: 'r0100' }]);
    await run(t, 'delete', settings(path));
    expect(last(t)).toMatchObject({ deleted: 1, listing: 'complete' });

    delete rows['r0002'];
    Object.assign(rows, { r0004: 'third' });
    put();
    await run(t, 'delta', settings(path));
    await run(t, 'delete', { ...settings(path), SYNCRATOR_PART_OF: 'diff' });
    expect(last(t)).toMatchObject({ deleted: 1 });
    expect(await t.names()).toEqual(rows);
  });

  it('with SOURCE_UPDATED_AT in Parquet keeps the times of the records', async () => {
    const drop = folder();
    const select = `SELECT 'r' || i AS id, 'n' || i AS name, TIMESTAMP '2026-11-01 09:30:00' AS changed FROM range(50) t(i)`;
    const path = await parquetOf(drop, 'places.parquet', select);
    await using t = await setup();
    const times = { ...settings(path), SOURCE_UPDATED_AT: 'changed' };
    await run(t, 'sync', times);
    expect(last(t)).toMatchObject({ added: 50, listing: 'complete' });
    const [{ at } = { at: null }] = await t.query<{ at: Date }>(
      `SELECT DISTINCT updated_at AS at FROM cities`,
    );
    expect(at).toEqual(new Date('2026-11-01T09:30:00Z'));
    await parquetOf(
      drop,
      'places.parquet',
      select.replace(`'n' || i`, `CASE WHEN i = 7 THEN 'second' ELSE 'n' || i END`),
    );
    await run(t, 'delta', times);
    expect(last(t)).toMatchObject({ added: 0, updated: 1 });
  });

  it('loses no record to a pattern without files, and to files that are cut, empty or missing', async () => {
    const drop = folder();
    const rows = Object.entries(some(60));
    const parts = [0, 1, 2].map((nth) => csv(Object.fromEntries(rows.slice(nth * 20, nth * 20 + 20))));
    for (const [nth, text] of parts.entries()) drop.put(`part-${nth}.csv`, text);
    await using t = await setup();
    const own = { ...settings(`${drop.path}/part-*.csv`), SOURCE_FILE_COMPLETE: 'true' };
    await run(t, 'sync', own);
    expect(last(t)).toMatchObject({ added: 60, listing: 'complete' });
    const before = await t.md5();
    const lies: [string, () => void, number][] = [
      [
        'an open quote',
        () => drop.put('part-1.csv', parts[1]?.replace('first', '"first') ?? ''),
        EXIT.incompleteListing,
      ],
      [
        'a cut stream',
        () => drop.put('part-1.csv', gzipSync(parts[1] ?? '').subarray(0, -1)),
        EXIT.incompleteListing,
      ],
      ['a cut value', () => drop.put('part-1.csv', parts[1]?.slice(0, -3) ?? ''), EXIT.incompleteListing],
      ['a cut line', () => drop.put('part-1.csv', `${parts[1]?.slice(0, -8)}\n`), EXIT.recordsRejected],
      // Nothing reveals this one: what it lacks is held.
      ['only its header', () => drop.put('part-1.csv', 'id,name\n'), EXIT.ok],
      ['nothing', () => drop.put('part-1.csv', ''), EXIT.notConfigured],
    ];
    for (const [lie, tell, code] of lies) {
      tell();
      for (const action of ['sync', 'delete']) {
        const ended = await t.run(action, own);
        expect([lie, action, ended.code, ended.output]).toEqual([lie, action, code, ended.output]);
      }
    }
    const none = { ...own, SOURCE_PATH: `${drop.path}/other-*.csv` };
    for (const action of ['sync', 'delete'])
      expect((await t.run(action, none)).code).toBe(EXIT.sourceUnreachable);
    drop.put('part-1.csv', parts[1] ?? '');
    // What counted as complete once is expected again.
    expect((await t.run('sync', { ...own, SOURCE_FILE_COMPLETE: 'false' })).code).toBe(
      EXIT.incompleteListing,
    );
    expect(await t.md5()).toBe(before);
  });

  it('without evidence adds and updates, keeps what the files lack, and says so', async () => {
    const drop = folder();
    const path = drop.put('places.csv', csv(some(25)));
    await using t = await setup();
    await run(t, 'sync', settings(path));
    expect(last(t)).toMatchObject({ added: 25, listing: 'unproven' });
    drop.put('places.csv', csv({ ...some(24), r0003: 'second' }));
    await run(t, 'sync', settings(path));
    expect(last(t)).toMatchObject({ updated: 1, deleted: 0, kept: 1 });
    expect(last(t)?.warnings?.join()).toContain('SOURCE_FILE_COMPLETE=true');
    expect((await t.run('delete', settings(path))).code).toBe(EXIT.incompleteListing);
  });

  it('sets bad lines aside up to MAX_REJECTED, and what is live stays', async () => {
    const drop = folder();
    const path = drop.put('places.csv', csv(some(25)));
    await using t = await setup();
    await run(t, 'sync', settings(path));
    drop.put('places.csv', csv({ ...some(25), r0002: 'a,b' }));
    const before = await t.md5();
    const refused = await t.run('sync', settings(path));
    expect(refused.code).toBe(EXIT.recordsRejected);
    expect(refused.output).toContain(`line 25 of ${path}: it has more values than the header`);
    await run(t, 'sync', settings(path, { MAX_REJECTED: '1' }));
    expect(last(t)).toMatchObject({ failed: 1, deleted: 0, kept: 1 });
    expect(await t.md5()).toBe(before);
  });

  it('is loaded on from the checkpoint by a later attempt, unless the file has changed', async () => {
    const drop = folder();
    const lines = Object.entries(some(60))
      .map(([id, name]) => `${JSON.stringify({ id, name })}\n`)
      .join('');
    const path = drop.put('places.ndjson', lines);
    await using t = await setup();
    const options = 'sync -n 10 -c 1 --api_job_id 1';
    const broken = await runStoppedLoad(t, options, settings(path));
    expect(broken.code).toBe(EXIT.terminated);
    const SYNCRATOR_CHECKPOINT = JSON.stringify(last(t)?.checkpoint);
    const output = await run(t, options, settings(path, { SYNCRATOR_CHECKPOINT }));
    expect(output).toMatch(/resuming the load after [2-4]0 records/);
    expect(last(t)).toMatchObject({ added: 60 });
    drop.put('places.ndjson', lines.replace('first', 'other'));
    const anew = await run(t, 'sync -n 10 -c 1 --api_job_id 2', settings(path, { SYNCRATOR_CHECKPOINT }));
    expect(anew).toMatch(/have changed since the earlier attempt: loading from the start/);
    expect(last(t)).toMatchObject({ added: 0, updated: 1 });
  });

  it('takes FIELDS', async () => {
    const path = folder().put('places.csv', 'id,title,x\na,Aachen,1\n');
    await using t = await setup();
    await run(t, 'sync', settings(path, { FIELDS: 'rename title=name, drop x' }));
    expect(await t.query(`SELECT record FROM cities`)).toEqual([{ record: { name: 'Aachen' } }]);
  });
});
