/** The action story: what the sink's history knows of one record, told to the api; it changes nothing and takes no fence. */
import { expect, test } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { someRows } from '../support/fake-source.ts';
import { setup, type Setup } from '../support/setup.ts';

const uid = (job: number) => `00000000-0000-4000-8000-${String(job).padStart(12, '0')}`;
const rowOf = (id: string, name: unknown, day = 1) => ({
  id,
  name,
  updated_at: `2026-01-${String(day).padStart(2, '0')}T00:00:00Z`,
});
const flag = (id: string) => `--id ${encodeURIComponent(id).replace(/^-/, '%2D')}`;

async function run(t: Setup, job: number, options: string, more: Record<string, string> = {}) {
  const ended = await t.run(`${options} --api_job_id ${job}`, { SYNCRATOR_JOB_UID: uid(job), ...more });
  expect(ended, ended.output).toMatchObject({ code: EXIT.ok });
  return ended;
}

async function tell(t: Setup, id: string, more: Record<string, string> = {}) {
  await run(t, 90, `story ${flag(id)}`, more);
  const story = t.receiver.stories.at(-1);
  if (!story) throw new Error('no story was told');
  return story;
}

const names = (story: Awaited<ReturnType<typeof tell>>) =>
  story.entries.map(({ kind, before, after }) => [kind, before?.record?.['name'], after?.record?.['name']]);

test('tells which job added, changed, removed and restored a record, with the values before and after', async () => {
  await using t = await setup(someRows(20));
  await run(t, 1, 'sync');
  t.source.put(rowOf('a', 'one'));
  await run(t, 2, 'sync');
  t.source.put({ ...rowOf('a', 'two', 2), size: 3 });
  await run(t, 3, 'sync');
  t.source.rows.delete('a');
  await run(t, 4, 'sync');
  await run(t, 5, `rollback --before ${uid(4)}`);
  const { entries, ...state } = await tell(t, 'a');
  expect(entries).toMatchObject([
    { kind: 'restored', action: 'rollback', job_uid: uid(5), before: null, changed: null },
    { kind: 'removed', action: 'sync', job_uid: uid(4), after: null, changed_by_others: false },
    { kind: 'updated', action: 'sync', job_uid: uid(3), changed: ['name', 'size'] },
    { kind: 'added', action: 'sync', job_uid: uid(2), before: null, after: { record: { name: 'one' } } },
  ]);
  const value = { updated_at: '2026-01-02T00:00:00.000Z', record: { name: 'two', size: 3 } };
  expect(state).toMatchObject({
    live: value,
    older: 0,
    begins: { action: 'sync', job_uid: uid(1), why: 'the table was empty before' },
  });
  expect(state.kept).toMatchObject({ reason: 'rolled_back' });
  expect(entries[0]).toMatchObject({ after: value });
  expect(entries[1]).toMatchObject({ before: value });
  expect(entries[2]).toMatchObject({ before: { record: { name: 'one' } }, after: value });
});

test('tells since when a record is held, by which job, and when a listing last had it', async () => {
  await using t = await setup(someRows(40));
  await run(t, 1, 'sync');
  await run(t, 2, 'sync');
  for (let at = 10; at < 30; at += 1) t.source.rows.delete(`r000${at}`);
  await run(t, 3, 'sync');
  await run(t, 4, 'sync');
  const story = await tell(t, 'r00012');
  expect(story.entries.map(({ kind, job_uid }) => [kind, job_uid])).toEqual([['held', uid(3)]]);
  const [second] = await t.query<{ at: Date }>(
    `SELECT applied_at AS at FROM syncrator.change_sets WHERE job_uid = $1`,
    [uid(2)],
  );
  expect(story.last_seen).toBe(second?.at.toISOString());
  expect(story.kept).toMatchObject({ reason: 'held' });
  expect(Date.parse(story.kept?.checked ?? '')).toBeGreaterThan(Date.parse(story.kept?.since ?? ''));
});

test('says that another program has changed a record after the job', async () => {
  await using t = await setup(someRows(2));
  await run(t, 1, 'sync');
  t.source.put(rowOf('a', 'one'), rowOf('b', 'one'));
  await run(t, 2, 'sync');
  await t.query(`UPDATE cities SET record = record || '{"name": "other"}' WHERE id = 'a'`);
  expect((await tell(t, 'a')).entries).toMatchObject([{ changed_by_others: true }]);
  expect((await tell(t, 'b')).entries).toMatchObject([{ changed_by_others: false }]);
});

test('reads only: it takes no fence, writes no row, and is told before the first sync too', async () => {
  await using t = await setup(someRows(3));
  expect(await tell(t, 'r00001')).toEqual({
    live: null,
    kept: null,
    last_seen: null,
    begins: null,
    older: 0,
    entries: [],
  });
  expect(await t.tables('syncrator')).toEqual([]);
  await run(t, 1, 'sync');
  const state = async () =>
    await t.query(
      `SELECT to_jsonb(s) AS sink, (SELECT count(*) FROM syncrator.change_sets) FROM syncrator.sinks s`,
    );
  const before = await state();
  await tell(t, 'r00001');
  expect(await state()).toEqual(before);
});

test.each(['a/b c', '-n', '--only', '%41', '__proto__', '..', 'é\u{1f600}', 'x'.repeat(1000)])(
  'tells of the id %j',
  async (id) => {
    await using t = await setup(someRows(2));
    await run(t, 1, 'sync');
    t.source.put(rowOf(id, 'one'));
    await run(t, 2, 'sync');
    const story = await tell(t, id);
    expect(names(story)).toEqual([['added', undefined, 'one']]);
    expect((await tell(t, `${id}x`)).entries).toEqual([]);
  },
);

test('masks credentials in values, and leaves out values above 64 KiB', async () => {
  await using t = await setup([
    { ...rowOf('a', 'https://me:pass@example.org/'), token: 'abc', deep: [{ note: 'Bearer abc123def456' }] },
    { ...rowOf('b', 'one'), text: 'x'.repeat(70_000) },
  ]);
  await run(t, 1, 'sync');
  const text = JSON.stringify(await tell(t, 'a'));
  expect(text).not.toMatch(/pass@|"abc"|abc123def456/);
  expect(text).toContain('example.org');
  expect((await tell(t, 'b')).live).toEqual({ updated_at: '2026-01-01T00:00:00.000Z', record: null });
});

test('tells at most 200 entries and 1 MiB, the newest, and counts the older ones', async () => {
  await using t = await setup([rowOf('a', 'one')]);
  await run(t, 1, 'sync');
  const [{ sink } = { sink: 0 }] = await t.query<{ sink: number }>('SELECT id AS sink FROM syncrator.sinks');
  const add = async (from: number, to: number, size: number) =>
    await t.query(
      `WITH sets AS (
         INSERT INTO syncrator.change_sets (sink, step_key, job_uid, action, state, applied_at)
         SELECT $1, 'made ' || n, $4, 'sync', 'applied', now() + n * interval '1 second'
         FROM generate_series($2::int, $3::int) n ORDER BY n RETURNING id)
       INSERT INTO syncrator.changes (change_set, id, kind, old_updated_at, old_record, new_hash)
       SELECT id, 'a', 'updated', now(), jsonb_build_object('text', repeat('x', $5::int)), 0 FROM sets`,
      [sink, from, to, uid(2), size],
    );
  await add(1, 250, 10);
  const many = await tell(t, 'a');
  expect([many.entries.length, many.older]).toEqual([200, 50]);
  await add(251, 300, 60_000);
  const large = await tell(t, 'a');
  expect(large.entries.length).toBeLessThan(12);
  expect(large.entries.length + large.older).toBe(300);
});

test('after the record was forgotten, only what came later is told', async () => {
  await using t = await setup([...someRows(20), rowOf('a', 'secret')]);
  await run(t, 1, 'sync');
  t.source.rows.delete('a');
  await run(t, 2, 'sync');
  await run(t, 3, 'forget-record --id a');
  expect(await tell(t, 'a')).toMatchObject({ live: null, entries: [] });
});

test('tells of tables whose columns hold the fields', async () => {
  await using t = await setup(someRows(2));
  const columns = { SINK_COLUMNS: 'name text', SINK_RECORD: 'false' };
  await run(t, 1, 'sync', columns);
  t.source.put(rowOf('a', 'one'));
  await run(t, 3, 'sync', columns);
  t.source.put(rowOf('a', 'two', 2));
  await run(t, 4, 'sync', columns);
  expect((await tell(t, 'a', columns)).entries).toMatchObject([
    { changed: ['name'], before: { record: { name: 'one' } }, after: { record: { name: 'two' } } },
    { kind: 'added', changed_by_others: false },
  ]);
});

test('an api that takes no story fails the job in words, and a refusal stops it', async () => {
  await using t = await setup([rowOf('a', 'one')]);
  await run(t, 1, 'sync');
  for (const [status, code, words] of [
    [404, EXIT.failed, 'takes no story'],
    [422, EXIT.failed, 'answered 422'],
    [410, EXIT.refused, 'refused the story'],
  ] as const) {
    t.receiver.answerStory = () => new Response('{}', { status });
    const ended = await t.run('story --id a --api_job_id 9');
    expect([ended.code, ended.output]).toEqual([code, expect.stringContaining(words)]);
  }
});

test('needs one id', async () => {
  await using t = await setup();
  await expect(t.run('story')).rejects.toThrow('story needs one --id');
  await expect(t.run('story --id a --id b')).rejects.toThrow('story needs one --id');
});
