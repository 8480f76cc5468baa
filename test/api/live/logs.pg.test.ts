/** A log as a file, and its notes about missing parts. */
/* oxlint-disable typescript/no-unsafe-argument, typescript/no-unsafe-member-access --
   answers are untyped JSON, as for any client */
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appendLog, endLog, mergeLog } from '../../../src/db/jobs/logs.ts';
import type { StepRef } from '../../../src/db/jobs/steps.ts';
import { type Api, claimed, setup } from '../support.ts';

let api: Api;
beforeAll(async () => {
  api = await setup();
});
afterAll(() => api[Symbol.asyncDispose]());

const KEEP = { head: 300_000, tail: 300_000 };

/** Appends a text after a gap of so many bytes. */
async function print(ref: StepRef, text: string, passedOver = 0): Promise<void> {
  const { rows } = await sql<{ at: number }>`
    SELECT log_read AS at FROM steps WHERE job_id = ${ref.jobId} AND step = ${ref.step}`.execute(api.db);
  const offset = (rows[0]?.at ?? 0) + passedOver;
  const bytes = Buffer.from(text);
  await appendLog(api.db, ref, { offset, bytes, next: { offset: offset + bytes.length, mark: null } }, KEEP);
}

/** A job with one running step, on a target that is free again at the end. */
async function printing(run: (job: Awaited<ReturnType<typeof claimed>>, ref: StepRef) => Promise<void>) {
  const job = await claimed(api);
  const { ref } = await job.begin();
  try {
    await run(job, ref);
  } finally {
    await job.end(ref);
    await job.finish();
  }
}

describe('as a file', () => {
  it('the file is named after its step, or after its job if it has all steps', () =>
    printing(async (job, ref) => {
      await print(ref, 'one\n');
      const one = await api.call('GET', `/jobs/${job.id}/logs?download&step=0&attempt=1`);
      expect(one.headers.get('content-disposition')).toBe(`attachment; filename="test-${job.id}-0-1.log"`);
      expect(one.headers.get('content-type')).toBe('text/plain; charset=utf-8');
      expect(one.text).toBe('one\n');
      const second = await job.begin(0, 2);
      await print(second.ref, 'two\n');
      const all = await api.call('GET', `/jobs/${job.id}/logs?download=true`);
      expect(all.headers.get('content-disposition')).toBe(`attachment; filename="job-${job.id}.log"`);
      expect(all.text).toMatch(
        /^===== step 1: sync, attempt 1 =====\none\n===== step 1: sync, attempt 2 =====\n/,
      );
      await job.end(second.ref);
    }));

  it('a file cannot be followed at the same time', async () => {
    const answer = await api.call('GET', '/jobs/1/logs?download&follow');
    expect([answer.status, answer.body.errors[0].field]).toEqual([400, 'download']);
  });

  it('a log is read from Postgres as the client takes it, and ends with an error if that fails midway', () =>
    printing(async (job, ref) => {
      const lines = Array.from({ length: 400 }, (_, n) => `${n} ${'x'.repeat(1_000)}\n`);
      for (let at = 0; at < lines.length; at += 50) await print(ref, lines.slice(at, at + 50).join(''));
      const taken = await api.raw('GET', `/jobs/${job.id}/logs?download`);
      expect(await taken.text()).toBe(lines.join(''));
      const broken = await api.raw('GET', `/jobs/${job.id}/logs?download`);
      const reader = broken.body?.getReader();
      await reader?.read();
      await sql`ALTER TABLE step_logs RENAME TO away`.execute(api.db);
      try {
        const rest = async () => {
          for (let part = await reader?.read(); part?.done === false; part = await reader?.read());
        };
        await expect(rest()).rejects.toThrow('step_logs');
      } finally {
        await sql`ALTER TABLE away RENAME TO step_logs`.execute(api.db);
      }
    }));

  it('a log shows no credential, whatever the byte offset', () =>
    printing(async (job, ref) => {
      await print(ref, 'connecting to postgres://sync:s3cr3t@db/x\n');
      const { text } = await api.call('GET', `/jobs/${job.id}/logs`);
      expect(text).toBe('connecting to postgres://<FILTERED>@db/x\n');
      const { rows } = await sql`SELECT text FROM step_logs WHERE job_id = ${job.id}`.execute(api.db);
      expect(rows).toEqual([{ text }]);
      await job.end(ref);
      await job.finish();
      for (let offset = 0; offset < text.length; offset++)
        for (const follow of ['', 'follow&step=0&attempt=1&']) {
          const part = await api.call('GET', `/jobs/${job.id}/logs?${follow}offset=${offset}`);
          expect(part.text).not.toMatch(/s3c|r3t/);
        }
    }));
});

describe('notes about missing parts', () => {
  it('a log counts the missing bytes between its beginning and its end, for followers too', () =>
    printing(async (job, ref) => {
      await print(ref, 'begun\n');
      await print(ref, 'ended\n', 12_345);
      const words = /^begun\n\n\[Syncrator: 12,345 bytes are omitted here: .*\]\n\nended\n$/;
      expect((await api.call('GET', `/jobs/${job.id}/logs`)).text).toMatch(words);
      expect((await api.call('GET', `/jobs/${job.id}`)).body.steps[0]).toMatchObject({ log_bytes: 12_357 });
      await job.end(ref);
      await job.finish();
      const events = await api.call('GET', `/jobs/${job.id}/logs?follow`);
      const texts = [...events.text.matchAll(/"text":("(?:[^"\\]|\\.)*")/g)].map(([, text]) =>
        String(JSON.parse(text ?? '""')),
      );
      expect(texts).toHaveLength(3);
      expect(texts.join('')).toMatch(words);
    }));

  it('a log without its end tells a follower so once, and not again to one that resumes after it', async () => {
    const job = await claimed(api);
    const { ref } = await job.begin();
    await print(ref, 'begun\n');
    await mergeLog(api.db, ref);
    await endLog(api.db, ref, 'end_missing');
    await job.end(ref);
    await job.finish();
    expect((await api.call('GET', `/jobs/${job.id}/logs`)).text).toMatch(
      /^begun\n\n\[Syncrator: the end of this log is missing: .*\]\n$/,
    );
    expect((await api.call('GET', `/jobs/${job.id}`)).body.steps[0]).toMatchObject({
      log_bytes: 6,
      log_state: 'end_missing',
    });
    const follow = async (offset: number) =>
      (await api.call('GET', `/jobs/${job.id}/logs?follow&step=0&attempt=1&offset=${offset}`)).text;
    expect(await follow(0)).toMatch(/begun.*the end of this log is missing.*id: 7\n/s);
    expect(await follow(6)).toMatch(/^(?!.*begun).*the end of this log is missing/s);
    expect(await follow(7)).toMatch(/^event: end/);
  });

  it('a log that retention has deleted says so', async () => {
    const job = await claimed(api);
    const { ref } = await job.begin();
    await job.end(ref);
    await job.finish();
    await sql`UPDATE steps SET log_state = 'removed', log_bytes = 77 WHERE job_id = ${job.id}`.execute(
      api.db,
    );
    const answer = await api.call('GET', `/jobs/${job.id}/logs`);
    expect(answer.text).toBe('[Syncrator: this log was deleted (KEEP_LOGS)]\n');
    expect(answer.headers.get('x-log-end')).toBe('77');
  });
});
