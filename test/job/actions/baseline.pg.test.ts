/** BASELINE: counts that are unusual for a target, below the fixed limits. */
import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { someRows } from '../support/fake-source.ts';
import { type Setup, setup } from '../support/setup.ts';

const LIVE = 200;
const HOLD = { BASELINE: 'hold' };
const SEVEN: unknown = Array.from({ length: 7 }, () => ({
  at: expect.any(String),
  count: expect.any(Number),
}));

/** A target after its first load and some quiet nights. */
async function afterNights(nights: number): Promise<Setup> {
  const t = await setup(someRows(LIVE));
  for (let night = 0; night <= nights; night += 1) await t.run('sync');
  return t;
}

function lose(t: Setup, count: number): void {
  for (const { id } of someRows(count)) t.source.rows.delete(id);
}

const live = async (t: Setup): Promise<number> => Object.keys((await t.names()) ?? {}).length;

test('a loss of 8 percent is applied with a warning by default', async () => {
  await using t = await afterNights(7);
  lose(t, 16);
  expect((await t.run('sync')).code).toBe(EXIT.ok);
  expect(await live(t)).toBe(LIVE - 16);
  expect(t.receiver.reports.at(-1)?.warnings).toContain(
    'unusual: 16 to remove; usual are up to 5 (median 0 of 7 runs)',
  );
});

test.each(['sync', 'delete'])('with BASELINE=hold a %s lets it wait', async (action) => {
  await using t = await afterNights(7);
  if (action === 'delete') for (let night = 0; night < 7; night += 1) await t.run('delete');
  lose(t, 16);
  t.source.put({ id: 'new', name: 'new', updated_at: new Date().toISOString() });
  expect((await t.run(action, HOLD)).code).toBe(EXIT.ok);
  expect(await live(t)).toBe(action === 'sync' ? LIVE + 1 : LIVE);
  expect(t.receiver.reports.at(-1)).toMatchObject({ held: 16, deleted: 0 });
  expect((await t.run(`${action} --force-delete`, HOLD)).code).toBe(EXIT.ok);
  expect(await live(t)).toBe(action === 'sync' ? LIVE - 15 : LIVE - 16);
});

test('a jump upward stops before it is applied, until it is accepted', async () => {
  await using t = await afterNights(7);
  t.source.put(...someRows(LIVE + 20));
  const before = await t.md5();
  const ended = await t.run('sync', HOLD);
  expect(ended.code).toBe(EXIT.unusualJump);
  expect(ended.output).toContain('20 to add; usual are up to 10 (median 0 of 7 runs)');
  expect(await t.md5()).toBe(before);
  expect((await t.run('sync --accept-jump', HOLD)).code).toBe(EXIT.ok);
  expect(await live(t)).toBe(LIVE + 20);
});

test.each([
  ['after six nights', 6, {}],
  ['with BASELINE=off', 7, { BASELINE: 'off' }],
])('%s nothing is unusual', async (_, nights, environment) => {
  await using t = await afterNights(nights);
  lose(t, 16);
  expect((await t.run('sync', { ...HOLD, ...environment })).code).toBe(EXIT.ok);
  expect(await live(t)).toBe(LIVE - 16);
  const warnings = t.receiver.reports.at(-1)?.warnings ?? [];
  expect(warnings.filter((words) => words.startsWith('unusual'))).toEqual([]);
});

test('a run that a rollback has undone is no example', async () => {
  await using t = await afterNights(6);
  lose(t, 16);
  await t.run('sync'); // the seventh run
  await t.run('rollback');
  expect(await live(t)).toBe(LIVE);
  t.source.put(...someRows(LIVE));
  await t.run('sync');
  lose(t, 16);
  expect((await t.run('sync', HOLD)).code).toBe(EXIT.ok);
  expect(await live(t)).toBe(LIVE);
});

test('another word is refused', async () => {
  await using t = await setup(someRows(1));
  const ended = await t.run('sync', { BASELINE: 'on' });
  expect(ended.code).toBe(EXIT.notConfigured);
  expect(ended.output).toContain('BASELINE is not one of off, watch, hold');
});

test('a table that others have emptied is filled again', async () => {
  await using t = await afterNights(7);
  await t.query('TRUNCATE cities');
  expect((await t.run('sync', HOLD)).code).toBe(EXIT.ok);
  expect(await live(t)).toBe(LIVE);
  expect(t.receiver.reports.at(-1)?.warnings?.join()).not.toContain('unusual');
});

test('a listing whose records have lost most of their content stops, although few are enough for the limits', async () => {
  const t0 = new Date().toISOString();
  const wide = (bytes: number) =>
    someRows(LIVE).map((row) => ({ ...row, note: randomBytes(bytes).toString('hex'), updated_at: t0 }));
  await using t = await setup(wide(500));
  for (let night = 0; night <= 7; night += 1) {
    // Every record changes each night, so the number of updates is usual.
    t.source.put(...wide(500));
    await t.run('sync');
  }
  t.source.put(...wide(5));
  const before = await t.md5();
  const ended = await t.run('sync', HOLD);
  expect(ended.code).toBe(EXIT.unusualJump);
  expect(ended.output).toMatch(/a listing of [\d,]+ bytes; usual are [\d,]+ to [\d,]+ \(median/);
  expect(await t.md5()).toBe(before);
  expect(t.receiver.reports.at(-1)?.unusual).toMatchObject([{ measure: 'bytes', earlier: SEVEN }]);
});

test('a job tells the api which of its figures are unusual, with those of earlier runs, and why removals are held', async () => {
  await using t = await afterNights(7);
  lose(t, 16);
  expect((await t.run('sync', HOLD)).code).toBe(EXIT.ok);
  expect(t.receiver.reports.at(-1)?.unusual).toMatchObject([
    { measure: 'removed', count: 16, median: 0, least: 0, most: 5, earlier: SEVEN },
  ]);
});
