/**
 * Text that followers append reads as one text from any byte on, whichever follower appended it, merged or not,
 * whole or cut.
 */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../../src/db/connect.ts';
import { appendLog, endLog, logEnd, mergeLog, readLog } from '../../../src/db/jobs/logs.ts';
import type { Db } from '../../../src/db/schema.ts';
import type { StepRef } from '../../../src/db/jobs/steps.ts';
import { CHUNK_BYTES, type LogShare } from '../../../src/domain/log-chunks.ts';
import { createDatabase, type TestDatabase } from '../../support/database.ts';

const ALL: LogShare = { head: 1e9, tail: 1e9 };

let database: TestDatabase;
let db: Db;
beforeAll(async () => {
  database = await createDatabase();
  db = connect(database.url, { max: 8, applicationName: 'test', onError: () => undefined });
});
afterAll(async () => {
  await db.destroy();
  await database.drop();
});

/** A step of a new job. */
async function newStep(): Promise<StepRef> {
  const { id } = await db
    .insertInto('jobs')
    .values({
      uid: randomUUID(),
      env: 'dev',
      target: randomUUID(),
      action_name: 'sync',
      action: 'sync',
      is_tag: 'latest',
      options: '',
      runner: 'process',
      steps_spec: '[]',
      spec_hash: '',
      trigger: 'api',
      requested_by: 'test',
      status: 'running',
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await db
    .insertInto('steps')
    .values({ job_id: id, step: 0, attempt: 1, action: 'sync', name: randomUUID() })
    .execute();
  return { jobId: id, step: 0, attempt: 1 };
}

/** Appends like a follower that has reached a byte of the program's output. */
function append(ref: StepRef, offset: number, bytes: Buffer, keep = ALL): Promise<boolean> {
  return appendLog(db, ref, { offset, bytes, next: { offset: offset + bytes.length, mark: null } }, keep);
}

/** All text from a byte on, with the places of gaps. */
async function read(ref: StepRef, from = 0): Promise<{ text: string; gaps: [number, number][] }> {
  const gaps: [number, number][] = [];
  let text = '';
  for (let at = from; ; ) {
    const chunks = await readLog(db, ref, at);
    if (chunks.length === 0) return { text, gaps };
    for (const chunk of chunks) {
      if (chunk.offset !== at) gaps.push([at, chunk.offset]);
      expect(Buffer.byteLength(chunk.text)).toBe(chunk.end - chunk.offset);
      text += chunk.text;
      at = chunk.end;
    }
  }
}

const rowsOf = async ({ jobId }: StepRef) =>
  await db
    .selectFrom('step_logs')
    .select(['byte_offset', 'byte_length'])
    .where('job_id', '=', jobId)
    .orderBy('byte_offset')
    .execute();

test('a text appended in any parts, and merged at any time, is read from any byte on', async () => {
  const part = fc.tuple(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), fc.nat(9));
  await fc.assert(
    fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 30 }), fc.nat(1000), async (parts, place) => {
      const ref = await newStep();
      let offset = 0;
      for (const [text, chance] of parts) {
        const bytes = Buffer.from(`${text}\n`);
        expect(await append(ref, offset, bytes)).toBe(true);
        offset += bytes.length;
        if (chance === 0) await mergeLog(db, ref);
      }
      await mergeLog(db, ref);
      const whole = parts.map(([text]) => `${text.toWellFormed().replaceAll('\0', '\u2400')}\n`).join('');
      expect(await read(ref)).toEqual({ text: whole, gaps: [] });
      const from = place % (Buffer.byteLength(whole) + 1);
      const rest = Buffer.from(whole).subarray(from);
      const chunk = (await readLog(db, ref, from))[0];
      expect([chunk?.offset, chunk?.text ?? '']).toEqual([
        rest.length > 0 ? from : undefined,
        rest.toString(),
      ]);
      expect(await rowsOf(ref)).toHaveLength(1);
    }),
    { numRuns: 40 },
  );
});

test('bytes that are not text, or NUL, do not shift the bytes after them', async () => {
  const ref = await newStep();
  await append(ref, 0, Buffer.from([0x61, 0x00, 0xff, 0x0a]));
  await append(ref, 4, Buffer.from('next\n'));
  expect(await read(ref)).toEqual({ text: 'a\u2400\ufffd\nnext\n', gaps: [] });
  expect(await logEnd(db, ref)).toEqual({ offset: 9, mark: null });
});

test('one of several writers at the same offset appends each part, and a reader beside them sees a prefix', async () => {
  const ref = await newStep();
  const lines = Array.from({ length: 400 }, (_, n) => `line ${n} ${'x'.repeat(n % 300)}\n`);
  const whole = lines.join('');
  const follow = async () => {
    for (let done = 0; done < lines.length; ) {
      const { offset } = await logEnd(db, ref);
      done = Buffer.from(whole).subarray(0, offset).toString().split('\n').length - 1;
      const bytes = Buffer.from(lines.slice(done, done + 3).join(''));
      if (bytes.length > 0) await append(ref, offset, bytes);
      if (done % 10 < 3) await mergeLog(db, ref);
    }
  };
  let over = false;
  const look = async () => {
    while (!over) {
      const seen = await read(ref);
      expect(seen.gaps).toEqual([]);
      expect(whole.startsWith(seen.text)).toBe(true);
    }
  };
  const looking = look();
  await Promise.all([follow(), follow(), follow(), follow()]);
  over = true;
  await looking;
  expect(await read(ref)).toEqual({ text: whole, gaps: [] });
});

test('a long log keeps its beginning and its end, with one gap of the right size between them', async () => {
  const ref = await newStep();
  const keep = { head: 200_000, tail: 300_000 };
  const line = (n: number) => `${n} `.padEnd(99, 'x');
  let offset = 0;
  let printed = '';
  for (let part = 0; part < 100; part++) {
    const text = Array.from({ length: 200 }, (_, n) => `${line(part * 200 + n)}\n`).join('');
    await append(ref, offset, Buffer.from(text), keep);
    printed += text;
    offset += text.length;
    if (part % 7 === 0) await mergeLog(db, ref);
  }
  await mergeLog(db, ref);
  const { text, gaps } = await read(ref);
  expect(gaps).toHaveLength(1);
  const [from, to] = gaps[0] ?? [0, 0];
  expect(text).toBe(printed.slice(0, from) + printed.slice(to));
  expect(from).toBeGreaterThanOrEqual(keep.head);
  expect(from).toBeLessThan(keep.head + CHUNK_BYTES);
  expect(printed.length - to).toBeGreaterThanOrEqual(keep.tail);
  expect(printed.length - to).toBeLessThan(keep.tail + CHUNK_BYTES);
  // A read that starts in the gap continues after it.
  expect((await readLog(db, ref, from + 1))[0]?.offset).toBe(to);
});

test('text that a follower skipped is a gap, too', async () => {
  const ref = await newStep();
  await append(ref, 0, Buffer.from('one\n'));
  expect(await append(ref, 2, Buffer.from('too early\n'))).toBe(false);
  expect(await append(ref, 100, Buffer.from('far on\n'))).toBe(true);
  expect(await read(ref)).toEqual({ text: 'one\nfar on\n', gaps: [[4, 100]] });
});

test('many small parts take a fraction of the space once they are merged', async () => {
  const ref = await newStep();
  const size = async () => {
    const { rows } = await db.executeQuery<{ size: number }>(
      db
        .selectFrom('step_logs')
        .select((eb) => eb.fn<number>('pg_column_size', ['text']).as('size'))
        .where('job_id', '=', ref.jobId)
        .compile(),
    );
    // A row's header and its index entry are some 100 bytes.
    return rows.reduce((sum, row) => sum + row.size + 100, 0);
  };
  let offset = 0;
  for (let n = 0; n < 1_000; n++) {
    const text = Buffer.from(
      `2026-11-25T01:${String(n % 60).padStart(2, '0')}:00.${n % 1000}Z batch ${n}: ${(n * 7919) % 1000} records read\n`,
    );
    await append(ref, offset, text);
    offset += text.length;
  }
  const before = await size();
  await mergeLog(db, ref);
  expect(await rowsOf(ref)).toHaveLength(1);
  expect(await size()).toBeLessThan(before / 5);
});

test('a complete log stays complete; one without its end may become complete later', async () => {
  const ref = await newStep();
  const state = async () =>
    (await db.selectFrom('steps').select('log_state').where('job_id', '=', ref.jobId).execute())[0]
      ?.log_state;
  expect(await state()).toBe('growing');
  await endLog(db, ref, 'end_missing');
  expect(await state()).toBe('end_missing');
  await endLog(db, ref, 'complete');
  await endLog(db, ref, 'end_missing');
  expect(await state()).toBe('complete');
});
