/** `/importable-datasets`: what it lists, what it leaves out and why, and that it touches nothing outside INPUT_DIR. */
/* oxlint-disable typescript/no-explicit-any, typescript/no-unsafe-argument, typescript/no-unsafe-assignment, typescript/no-unsafe-call, typescript/no-unsafe-member-access, typescript/no-unsafe-return --
   answers are untyped JSON, as for any client */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listDatasets } from '../../../../src/api/compat/microdata/dataset-folder.ts';
import { signToken } from '../../../../src/api/auth/tokens.ts';
import { createClient } from '../../../../src/client/client.ts';
import { addUser, changeUser } from '../../../../src/db/access/users.ts';
import { unlimited } from '../../../../src/domain/permission.ts';
import { type Api, SECRET, setup, justNow } from '../../support.ts';

const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-input-'));
const input = path.join(dir, 'input');
let api: Api;
beforeAll(async () => {
  api = await setup({ env: { INPUT_DIR: input, PUBLIC_READS: 'true' } });
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(() => {
  rmSync(input, { recursive: true, force: true });
  mkdirSync(path.join(input, 'archive'), { recursive: true });
});

/** Makes `<name>.tar` from the given files. */
function tarOf(name: string, files: readonly string[], where = input): string {
  const from = mkdtempSync(path.join(dir, 'files-'));
  for (const file of files) {
    mkdirSync(path.join(from, path.dirname(file)), { recursive: true });
    writeFileSync(path.join(from, file), 'x');
  }
  const tar = path.join(where, `${name}.tar`);
  execFileSync('tar', [
    '-cf',
    tar,
    '-C',
    from,
    ...(files.length > 0 ? readdirSync(from) : ['-T', '/dev/null']),
  ]);
  return tar;
}

const list = async (query = '') => await api.call('GET', `/importable-datasets${query}`);
const skippedOf = (answer: { headers: Headers }) =>
  Object.fromEntries(new URLSearchParams(answer.headers.get('x-skipped') ?? ''));

describe('GET', () => {
  it('it lists each tar file with its contents, and whether it is archived', async () => {
    tarOf('WHOLE', ['WHOLE.json', 'chunks/1', 'chunks/2']);
    tarOf('META', ['META.json']);
    tarOf('DATA_2', ['chunks/1', 'OTHER.json', 'below/DATA_2.json']);
    tarOf('EMPTY', []);
    tarOf('WHOLE', ['WHOLE.json'], path.join(input, 'archive'));
    writeFileSync(path.join(input, 'notes.txt'), 'not a tar, and not named like one');
    const answer = await list();
    expect([answer.status, answer.headers.get('x-skipped-count')]).toEqual([200, '0']);
    const one = (datasetName: string, hasMetadata: boolean, hasData: boolean, isArchived = false) => ({
      datasetName,
      hasMetadata,
      hasData,
      isArchived,
    });
    expect(answer.body).toEqual([
      one('DATA_2', false, true),
      one('EMPTY', false, false),
      one('META', true, false),
      one('WHOLE', true, true),
      one('WHOLE', true, false, true),
    ]);
    const names = async (query: string) => (await list(query)).body.map((of: any) => of.datasetName);
    expect(await names('?hasMetadata=true')).toEqual(['META', 'WHOLE', 'WHOLE']);
    expect(await names('?hasMetadata=false')).toEqual(['DATA_2', 'EMPTY']);
    expect((await list('?hasMetadata=yes')).status).toBe(400);
  });

  it('it also reads archives made from `.`', async () => {
    const from = mkdtempSync(path.join(dir, 'files-'));
    mkdirSync(path.join(from, 'chunks'));
    writeFileSync(path.join(from, 'DOTTED.json'), '{}');
    execFileSync('tar', ['-cf', path.join(input, 'DOTTED.tar'), '-C', from, '.']);
    expect((await list()).body).toMatchObject([{ datasetName: 'DOTTED', hasMetadata: true, hasData: true }]);
  });

  it('it leaves out what is not a dataset, and says why', async () => {
    const outside = tarOf('OUTSIDE', ['OUTSIDE.json'], dir);
    tarOf('GOOD', ['GOOD.json']);
    tarOf('lower', ['lower.json']);
    tarOf('1ST', ['1ST.json']);
    tarOf('A-B', ['A-B.json']);
    tarOf('NO\nLINE; x', ['x']);
    writeFileSync(path.join(input, 'TEXT.tar'), 'text');
    truncateSync(tarOf('HALF', ['HALF.json', 'chunks/1']), 1_100);
    symlinkSync(outside, path.join(input, 'LINK.tar'));
    mkdirSync(path.join(input, 'FOLDER.tar'));
    execFileSync('mkfifo', [path.join(input, 'PIPE.tar')]);
    const answer = await list();
    expect(answer.body.map((of: any) => of.datasetName)).toEqual(['GOOD']);
    expect(answer.headers.get('x-skipped-count')).toBe('9');
    expect(skippedOf(answer)).toEqual({
      '1ST.tar': 'not a dataset name',
      'A-B.tar': 'not a dataset name',
      'FOLDER.tar': 'not a file',
      'HALF.tar': 'cut off',
      'LINK.tar': 'not a file',
      'NO\nLINE; x.tar': 'not a dataset name',
      'PIPE.tar': 'not a file',
      'TEXT.tar': 'not a tar file',
      'lower.tar': 'not a dataset name',
    });
  });

  it('it follows no link to an archive elsewhere', async () => {
    rmSync(path.join(input, 'archive'), { recursive: true });
    const elsewhere = path.join(dir, 'elsewhere');
    mkdirSync(elsewhere, { recursive: true });
    tarOf('SECRET', ['SECRET.json'], elsewhere);
    symlinkSync(elsewhere, path.join(input, 'archive'));
    const answer = await list();
    expect([answer.body, skippedOf(answer)]).toEqual([[], { archive: 'not a folder' }]);
  });

  it('it names at most twenty omitted files, and counts all', async () => {
    for (let i = 0; i < 60; i++) writeFileSync(path.join(input, `${'é'.repeat(100)}${i}.tar`), '');
    const answer = await list();
    expect(answer.headers.get('x-skipped-count')).toBe('60');
    expect((answer.headers.get('x-skipped') ?? '').split('&')).toHaveLength(20);
  });

  it('simultaneous calls share one scan', async () => {
    for (let i = 0; i < 10; i++) tarOf(`D${i}`, [`D${i}.json`]);
    const answers = await Promise.all(Array.from({ length: 20 }, () => list()));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers[0]?.body).toHaveLength(10);
  });

  it('it gives up in time, and names the unread files', async () => {
    tarOf('SLOW', ['SLOW.json']);
    // The time may be over before the folder is read, or before the file is.
    const told = await listDatasets(input, 0).catch((error: unknown) => String(error));
    expect(JSON.stringify(told)).toMatch(/timeout|aborted|SLOW\.tar.*not read in time/i);
  });

  it('it says if the folder is missing or not set', async () => {
    rmSync(input, { recursive: true });
    const gone = await list();
    expect([gone.status, gone.body.code]).toEqual([503, 'input_dir_unusable']);
    expect(gone.body.detail).toContain('INPUT_DIR');
    expect(gone.text).not.toContain(dir);
    await using none = await setup();
    for (const [method, where] of [
      ['GET', '/importable-datasets'],
      ['DELETE', '/importable-datasets/X'],
    ] as const) {
      const answer = await none.call(method, where);
      expect([answer.status, answer.body.code]).toEqual([503, 'no_input_dir']);
      expect(answer.body.detail).toContain('INPUT_DIR');
      expect(answer.headers.has('retry-after')).toBe(true);
    }
  });

  it('it is a read, refused to disabled users', async () => {
    expect((await api.call('GET', '/importable-datasets', { token: null })).status).toBe(200);
    await using own = await setup({ env: { INPUT_DIR: input } });
    expect((await own.call('GET', '/importable-datasets', { token: null })).status).toBe(401);
    await addUser(
      own.db,
      { username: 'gone', passwordHash: 'x', grant: unlimited('admin') },
      { principal: 'test' },
    );
    await changeUser(own.db, 'gone', { disabled: true }, { principal: 'test' });
    const token = await signToken([SECRET], { sub: 'gone', authTime: justNow() });
    const answer = await own.call('GET', '/importable-datasets', { token });
    expect([answer.status, answer.body.code]).toEqual([401, 'user_disabled']);
  });
});

describe('DELETE', () => {
  const remove = async (name: string) => await api.call('DELETE', `/importable-datasets/${name}`);

  it('it removes the tar file, and adds an audit line', async () => {
    const tar = tarOf('GOING', ['GOING.json']);
    const kept = tarOf('GOING', ['GOING.json'], path.join(input, 'archive'));
    const answer = await remove('GOING');
    expect([answer.status, answer.body]).toEqual([200, { message: 'OK, GOING deleted' }]);
    expect([existsSync(tar), existsSync(kept)]).toEqual([false, true]);
    const lines = await api.db
      .selectFrom('audit')
      .selectAll()
      .where('object', '=', 'dataset GOING')
      .execute();
    expect(lines).toMatchObject([{ principal: 'admin', verb: 'delete' }]);
    const again = await remove('GOING');
    expect([again.status, again.body.code]).toEqual([404, 'unknown_dataset']);
    expect(again.body.detail).toContain('GOING');
    const after = await api.db
      .selectFrom('audit')
      .selectAll()
      .where('object', '=', 'dataset GOING')
      .execute();
    expect(after).toHaveLength(1);
    expect(existsSync(kept)).toBe(true);
  });

  it('the file is removed after its audit line is committed; a second line reports a failed removal', async () => {
    const tar = tarOf('LATER', ['x']);
    const lines = async () =>
      await api.db
        .selectFrom('audit')
        .select(['verb', 'refused', 'detail'])
        .where('object', '=', 'dataset LATER')
        .orderBy('id')
        .execute();
    let removing: ReturnType<typeof remove> | undefined;
    await api.db.transaction().execute(async (tx) => {
      await sql`LOCK TABLE audit IN SHARE MODE`.execute(tx);
      removing = remove('LATER');
      // Not in the transaction, which would always see the same state.
      const waiting = () =>
        sql<{ n: number }>`SELECT count(*)::int AS n FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(api.db);
      await expect.poll(async () => (await waiting()).rows[0]?.n).toBe(1);
      expect(existsSync(tar)).toBe(true);
      rmSync(tar);
    });
    expect((await removing)?.status).toBe(404);
    expect(await lines()).toMatchObject([
      { verb: 'delete', refused: null },
      { verb: 'delete', refused: 'unknown_dataset', detail: { message: expect.any(String) } },
    ]);
  });

  it.each([
    'lower',
    'A-B',
    'A.tar',
    '..',
    '..%2FOUT',
    'archive%2FIN',
    '%2Fetc%2Fpasswd',
    'A%5CB',
    'A%0A',
    '1A',
    '_A',
    '%C3%84',
    'A'.repeat(252),
  ])('the name %s is refused', async (name) => {
    const out = tarOf('OUT', ['x'], dir);
    const inside = tarOf('IN', ['x'], path.join(input, 'archive'));
    const answer = await remove(name);
    // The URL parser resolves `..`: the rest is another route.
    expect([400, 404, 405]).toContain(answer.status);
    if (name !== '..') expect([answer.status, answer.body.code]).toEqual([400, 'bad_dataset_name']);
    if (name === 'lower')
      expect(answer.body.detail).toMatch(
        /^"lower" contains invalid characters. Please use only uppercase A-Z, numbers 0-9 or "_"/,
      );
    expect([existsSync(out), existsSync(inside)]).toEqual([true, true]);
  });

  it('it removes no folder, and neither a link nor its target', async () => {
    const outside = tarOf('OUTSIDE', ['x'], dir);
    symlinkSync(outside, path.join(input, 'LINK.tar'));
    mkdirSync(path.join(input, 'FOLDER.tar'));
    expect([(await remove('LINK')).status, (await remove('FOLDER')).status]).toEqual([404, 404]);
    expect([existsSync(outside), existsSync(path.join(input, 'FOLDER.tar'))]).toEqual([true, true]);
  });

  it('it needs a token, even if reads do not', async () => {
    const tar = tarOf('STAYS', ['x']);
    expect((await api.call('DELETE', '/importable-datasets/STAYS', { token: null })).status).toBe(401);
    expect(existsSync(tar)).toBe(true);
  });
});

it('the client lists and removes', async () => {
  tarOf('MINE', ['MINE.json']);
  writeFileSync(path.join(input, 'BAD.tar'), 'x');
  const server = createAdaptorServer({ fetch: api.app.fetch }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = createClient({ url: `http://127.0.0.1:${port}`, token: () => Promise.resolve(api.token) });
  try {
    expect(await client.listImportableDatasets({ hasMetadata: true })).toEqual({
      datasets: [{ datasetName: 'MINE', hasMetadata: true, hasData: false, isArchived: false }],
      skipped: [{ file: 'BAD.tar', why: 'not a tar file' }],
      skippedCount: 1,
    });
    expect(await client.deleteImportableDataset('MINE')).toEqual({ message: 'OK, MINE deleted' });
  } finally {
    server.close();
  }
});
