/** The setting FIELDS from end to end, into Postgres. */
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EXIT } from '../../../src/domain/exit-code.ts';
import { type FakeRow, lines, page } from '../support/fake-source.ts';
import { type Setup, setup } from '../support/setup.ts';
import { sourceFile } from '../support/source-file.ts';

const KEY = 'precious-precious-precious';
const RULES = {
  FIELDS: 'rename title=name, drop note, set origin="crm, old", hash email',
  FIELDS_HASH_KEY: KEY,
};
const OLD = '2025-01-01T00:00:00.000Z';

function person(id: string, more: Record<string, unknown> = {}): FakeRow {
  return { id, updated_at: OLD, title: `title ${id}`, email: `${id}@example.org`, note: 'secret', ...more };
}

const hashOf = (text: string): string => createHmac('sha256', KEY).update(JSON.stringify(text)).digest('hex');

function mapped(id: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { name: `title ${id}`, origin: 'crm, old', email: hashOf(`${id}@example.org`), ...more };
}

async function records(t: Setup): Promise<Record<string, unknown>> {
  const rows = await t.query<{ id: string; record: unknown }>('SELECT id, record FROM cities ORDER BY id');
  return Object.fromEntries(rows.map(({ id, record }) => [id, record]));
}

const last = (t: Setup) => t.receiver.reports.at(-1);
const now = (): string => new Date().toISOString();

describe('FIELDS', () => {
  it('maps the records of sync and delta; another list needs a sync, which a rollback undoes', async () => {
    await using t = await setup(['a', 'b', 'c'].map((id) => person(id)));
    expect(await t.run('sync --api_job_id 1', RULES)).toMatchObject({ code: EXIT.ok });
    expect(await records(t)).toEqual({ a: mapped('a'), b: mapped('b'), c: mapped('c') });

    await t.run('sync --api_job_id 2', RULES);
    expect(last(t), 'the same rules change nothing').toMatchObject({ added: 0, updated: 0, deleted: 0 });

    t.source.put(person('b', { updated_at: now(), title: 'new' }));
    await t.run('delta --api_job_id 3', RULES);
    expect(last(t)).toMatchObject({ records_done: 1, added: 0, updated: 1 });
    const before = { a: mapped('a'), b: mapped('b', { name: 'new' }), c: mapped('c') };
    expect(await records(t)).toEqual(before);

    const others = { FIELDS: 'drop note, drop email' };
    await t.run('delta --api_job_id 4', others);
    expect(await records(t), 'a delta maps what it reads').toEqual({
      ...before,
      b: { title: 'new' },
    });
    await t.run('sync --api_job_id 5', others);
    expect(last(t)).toMatchObject({ added: 0, updated: 2, deleted: 0 });
    expect(await records(t)).toEqual({
      a: { title: 'title a' },
      b: { title: 'new' },
      c: { title: 'title c' },
    });

    expect(await t.run('rollback --api_job_id 6 --before 4', others)).toMatchObject({ code: EXIT.ok });
    expect(await records(t)).toEqual(before);
  });

  it('ends a run with a wrong rule before anything is read, and tells no secret', async () => {
    await using t = await setup([person('a')]);
    const ended = await t.run('sync', { ...RULES, FIELDS: 'hash email, drop id' });
    expect(ended.code).toBe(EXIT.notConfigured);
    expect(last(t)?.message).toContain('FIELDS rule 2 (drop id) changes id');
    expect(t.source.requests).toEqual([]);
    const good = await t.run('sync', RULES);
    expect(good.code).toBe(EXIT.ok);
    expect(ended.output + good.output + JSON.stringify(t.receiver.reports)).not.toContain('precious');
  });

  it('sets a record aside that it cannot map, keeps the live one, and names rules without effect', async () => {
    await using t = await setup([person('a'), person('b')]);
    await t.run('sync', RULES);
    t.source.put(person('b', { updated_at: now(), name: 'in the way' }));
    const refused = await t.run('sync', RULES);
    expect(refused.code).toBe(EXIT.recordsRejected);
    expect(last(t)?.message).toContain(
      'FIELDS rule 1 (rename title=name) (id "b"): it has a field name already',
    );
    const FIELDS = `${RULES.FIELDS}, drop emial`;
    expect(await t.run('sync', { ...RULES, FIELDS, MAX_REJECTED: '1' })).toMatchObject({ code: EXIT.ok });
    expect(await records(t)).toEqual({ a: mapped('a'), b: mapped('b') });
    expect(last(t)?.warnings).toContainEqual(
      expect.stringContaining('FIELDS rule 5 (drop emial): none of the 2'),
    );
  });

  it('never resumes a load that other rules began', async () => {
    await using t = await setup(['a', 'b', 'c', 'd'].map((id) => person(id)));
    t.source.pageSize = 2;
    t.source.bend = (listing) =>
      listing.query['after'] === 'b' ? new Response('no', { status: 403 }) : page(listing);
    await t.run('sync -n 1', { FIELDS: 'drop note' });
    const { checkpoint } = last(t) ?? {};
    expect(checkpoint).toMatchObject({ action: 'load', total: 4 });
    t.source.bend = null;
    const resumed = { SYNCRATOR_CHECKPOINT: JSON.stringify(checkpoint) };
    const ended = await t.run('sync', { ...RULES, ...resumed });
    expect(ended.output).toContain('settings of the source or FIELDS have changed since the earlier attempt');
    expect(await records(t)).toEqual(Object.fromEntries(['a', 'b', 'c', 'd'].map((id) => [id, mapped(id)])));
  });

  it('resumes a load of the same rules', async () => {
    await using t = await setup(['a', 'b', 'c', 'd'].map((id) => person(id)));
    t.source.pageSize = 2;
    t.source.bend = (listing) =>
      listing.query['after'] === 'b' ? new Response('no', { status: 403 }) : page(listing);
    await t.run('sync -n 1', RULES);
    const { checkpoint } = last(t) ?? {};
    t.source.bend = null;
    const ended = await t.run('sync', { ...RULES, SYNCRATOR_CHECKPOINT: JSON.stringify(checkpoint) });
    expect(ended.output).toContain('resuming the load after 2 records');
    expect(await records(t)).toEqual(Object.fromEntries(['a', 'b', 'c', 'd'].map((id) => [id, mapped(id)])));
  });

  it('maps the records of a file and of a SQL table, too', async () => {
    await using t = await setup();
    const file = sourceFile(lines([person('a')]));
    expect(await t.run('sync', { ...file.environment, ...RULES })).toMatchObject({ code: EXIT.ok });
    expect(await records(t)).toEqual({ a: mapped('a') });

    const sqlite = {
      SOURCE: 'sql',
      SOURCE_URL: `sqlite:${peopleDatabase()}`,
      SOURCE_TABLE: 'people',
      SOURCE_ID: 'nr',
    };
    await t.run('sync', { ...sqlite, ...RULES, FIELDS: `${RULES.FIELDS}, drop nr` });
    expect(await records(t)).toEqual({ a: mapped('a') });
    expect(last(t), 'its time is that of the run, which the comparison leaves out').toMatchObject({
      updated: 0,
    });
    await t.run('delta', { ...sqlite, FIELDS: 'drop note, drop email, drop nr' });
    expect(await records(t), 'a delta of a source that is read whole compares all').toEqual({
      a: { title: 'title a' },
    });
  });
});

/** A SQLite file with the person `a`. */
function peopleDatabase(): string {
  const directory = mkdtempSync(join(tmpdir(), 'syncrator-fields-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'people.db');
  const database = new DatabaseSync(path);
  database.exec(`CREATE TABLE people (nr TEXT PRIMARY KEY, title TEXT, email TEXT, note TEXT);
    INSERT INTO people VALUES ('a', 'title a', 'a@example.org', 'secret')`);
  database.close();
  return path;
}
