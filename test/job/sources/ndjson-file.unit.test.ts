import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdtempSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createNdjsonFileSource, type FileSourceOptions } from '../../../src/job/sources/ndjson-file.ts';
import type { Evidence, Source } from '../../../src/job/sources/source.ts';
import { byBytes, describeSource, type SourcePlace } from '../support/every-source.ts';
import { collect, lines, someRows } from '../support/fake-source.ts';

/** Dates the file back by an hour. */
function fileWith(content: string | Uint8Array, { old = true } = {}): string {
  const directory = mkdtempSync(join(tmpdir(), 'syncrator-ndjson-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'records.ndjson');
  writeFileSync(path, content);
  if (old) age(path);
  return path;
}

function age(path: string): void {
  const anHourAgo = new Date(Date.now() - 3_600_000);
  utimesSync(path, anHourAgo, anHourAgo);
}

function open(path: string, options: Partial<FileSourceOptions> = {}): Source {
  return createNdjsonFileSource({ path, stop: new AbortController().signal, ...options });
}

async function idsIn(source: Source): Promise<string[]> {
  return (await collect(source.ids(10))).flatMap(({ ids }) => ids);
}

/** The listing of a file with this content. */
async function evidenceIn(path: string, options: Partial<FileSourceOptions> = {}): Promise<Evidence> {
  const source = open(path, options);
  await idsIn(source);
  return await source.evidence();
}

const END = (total: number): string => `{"end": true, "total": ${total}}\n`;

describeSource('an NDJSON file', async (): Promise<SourcePlace> => {
  const times = new Map<string, string>();
  const path = fileWith(END(0));
  const write = async (): Promise<void> => {
    const rows = byBytes([...times.keys()]).map((id) => ({ id, updated_at: times.get(id) ?? '' }));
    writeFileSync(path, lines(rows) + END(rows.length));
    age(path);
  };
  return {
    put: async (ids, changed) => {
      for (const id of ids) times.set(id, changed.toISOString());
      await write();
    },
    remove: async (ids) => {
      for (const id of ids) times.delete(id);
      await write();
    },
    open: (stop) => createNdjsonFileSource({ path, stop }),
    [Symbol.asyncDispose]: async () => {},
  };
});

describe('the ndjson source of a file', () => {
  it('lists everything, even if only changes are requested', async () => {
    const source = open(fileWith(lines(someRows(30))));
    expect(source.lists).toBe('everything');
    const batches = await collect(source.changedSince(new Date(), null, 7));
    expect(batches.map(({ records }) => records.length)).toEqual([7, 7, 7, 7, 2]);
    expect(batches.at(-1)?.cursor).toEqual({ after: 'r00030', done: 30 });
  });

  it('has no clock, since the modification time says nothing about the records', () => {
    expect(open('/any').clock()).toEqual({ earliest: null, skewMs: 0 });
  });

  it.each([
    ['blank lines', lines(someRows(3)).replaceAll('\n', '\n\n \n')],
    ['CRLF', lines(someRows(3)).replaceAll('\n', '\r\n')],
    ['a byte order mark', `\uFEFF${lines(someRows(3))}`],
    ['no newline at its end', lines(someRows(3)).slice(0, -1)],
    ['nothing but a mark and a line without end', `\uFEFF${lines(someRows(3))}`.slice(0, -1)],
  ])('accepts %s', async (_, content) => {
    expect(await idsIn(open(fileWith(content)))).toEqual(['r00001', 'r00002', 'r00003']);
  });

  it.each([
    ['a JSON array', `[\n${lines(someRows(1))}]\n`, /a JSON array; write one object per line instead/],
    ['gzip', gzipSync(lines(someRows(1))), /a gzip archive; unpack it first/],
    ['UTF-16', Buffer.from(`\uFEFF${lines(someRows(1))}`, 'utf16le'), /UTF-16; convert it to UTF-8/],
    ['UTF-16 without a mark', Buffer.from(lines(someRows(1)), 'utf16le'), /UTF-16; convert it to UTF-8/],
    ['a web page', '<!doctype html>', /a web page instead of records/],
  ])('names another format: %s', async (_, content, words) => {
    await expect(idsIn(open(fileWith(content)))).rejects.toThrow(words);
  });

  it('sets bad records aside and names their lines', async () => {
    const [first = '', second = '', third = ''] = lines(someRows(3)).split(/(?<=\n)/);
    const latin = Buffer.from(second.replace('row', 'caf\xe9'), 'latin1');
    const content = Buffer.concat([
      Buffer.from(`${first}\n`),
      latin,
      Buffer.from(third.replace('2025-01-01', '2025-02-29')),
      Buffer.from('x'),
    ]);
    const path = fileWith(content);
    const batches = await collect(open(path).changedSince(null, null, 10));
    expect(batches.flatMap(({ records }) => records.map(({ id }) => id))).toEqual(['r00001']);
    expect(batches.flatMap(({ rejected }) => rejected)).toMatchObject([
      { where: `line 3 of ${path}`, id: null },
      { where: `line 4 of ${path}`, id: 'r00003' },
      { where: `line 5 of ${path}`, id: null },
    ]);
  });

  it('fails if ids are out of order', async () => {
    await expect(idsIn(open(fileWith(lines(someRows(3).toReversed()))))).rejects.toThrow(
      /^line 2 of .*: ids must come in byte order/,
    );
  });

  it.each([
    ['is none', '/nowhere/at.all', /cannot read SOURCE_FILE \/nowhere\/at\.all: ENOENT/],
    ['is a directory', '/tmp', /cannot read SOURCE_FILE \/tmp: it is not a regular file/],
  ])('is unreachable if there %s', async (_, path, words) => {
    const asks: ((of: Source) => Promise<unknown>)[] = [
      (of) => of.survey(null),
      idsIn,
      (of) => of.stillThere(['a']),
    ];
    for (const ask of asks) {
      // One after another: a promise that fails before it is awaited counts as unhandled.
      const asked = ask(open(path));
      await expect(asked).rejects.toMatchObject({ code: 'sourceUnreachable' });
      await expect(asked).rejects.toThrow(words);
    }
  });

  it('is unreachable if it is a pipe, and does not block on opening it', async () => {
    const path = fileWith('');
    rmSync(path);
    execFileSync('mkfifo', [path]);
    await expect(open(path).survey(null)).rejects.toThrow(
      /cannot read SOURCE_FILE .*: it is not a regular file/,
    );
  });

  it('resumes from a cursor and still checks the whole file', async () => {
    const source = open(fileWith(`${lines(someRows(25))}{}\n${lines(someRows(30).slice(25))}${END(31)}`));
    const batches = await collect(source.changedSince(null, { after: 'r00025', done: 25 }, 100));
    expect(batches).toMatchObject([
      {
        cursor: { after: 'r00030', done: 31 },
        rejected: [{ where: expect.stringMatching(/^line 26 of/) as string, id: null }],
      },
    ]);
    expect((await source.evidence()).complete).toBe(false);
    const rest = open(fileWith(lines(someRows(25))));
    expect(await collect(rest.changedSince(null, { after: 'r00025', done: 25 }, 100))).toEqual([]);
  });

  it('remembers a record without an id that an earlier attempt read', async () => {
    const source = open(fileWith(`${lines(someRows(2))}{}\n${lines(someRows(4).slice(2))}${END(5)}`));
    const batches = await collect(source.changedSince(null, { after: 'r00003', done: 4 }, 100));
    expect(batches).toMatchObject([{ cursor: { after: 'r00004', done: 5 }, rejected: [] }]);
    expect(await source.evidence()).toMatchObject({
      complete: false,
      words: expect.stringMatching(/the id of line 3 of /) as string,
    });
  });

  it('refuses to resume in another file', async () => {
    const source = open(fileWith(lines(someRows(30))));
    await expect(collect(source.changedSince(null, { after: 'r00025', done: 24 }, 9))).rejects.toMatchObject({
      code: 'incompleteListing',
      message: expect.stringMatching(
        /has changed .*: it has 25 records up to the checkpoint instead of 24/,
      ) as string,
    });
  });

  it('re-checks ids against the current content', async () => {
    const path = fileWith(lines(someRows(5)));
    expect([...(await open(path).stillThere(['r00002', 'r00004', 'r00009']))]).toEqual(['r00002', 'r00004']);
  });
});

describe('the evidence that a file is complete', () => {
  it('is an end line with the number of records', async () => {
    const path = fileWith(`${lines(someRows(3))}${END(3)}\n`);
    expect(await evidenceIn(path)).toEqual({
      complete: true,
      words: '3 records, the number in its end line',
    });
  });

  it('is a .total file, which the survey also reads', async () => {
    const path = fileWith(lines(someRows(3)));
    expect(await open(path).survey(null)).toEqual({ total: null });
    writeFileSync(`${path}.total`, '3\n');
    expect(await open(path).survey(null)).toEqual({ total: 3 });
    expect(await evidenceIn(path)).toEqual({
      complete: true,
      words: `3 records, the number in ${path}.total`,
    });
  });

  it('is SOURCE_FILE_COMPLETE=true', async () => {
    const path = fileWith(lines(someRows(3)));
    expect(await evidenceIn(path, { renamedIntoPlace: true })).toMatchObject({ complete: true });
  });

  it('is missing for a bare file, and the message lists the options', async () => {
    const path = fileWith(lines(someRows(3)));
    const { complete, words } = await evidenceIn(path);
    expect(complete).toBe(false);
    expect(words).toContain('a last line {"end": true, "total": 3}');
    expect(words).toContain(`${path}.total`);
    expect(words).toContain('SOURCE_FILE_COMPLETE=true');
  });

  it.each([
    ['a wrong total at its end', `${lines(someRows(3))}${END(4)}`, /3 records read, but its end line says 4/],
    [
      'a line after its end',
      `${lines(someRows(3))}${END(3)}${lines(someRows(4).slice(3))}`,
      /line 5 of .* stands after/,
    ],
    ['two ends', `${lines(someRows(3))}${END(3)}${END(3)}`, /line 5 of .* stands after the end line/],
    [
      'an end without a total',
      `${lines(someRows(3))}{"end":true}`,
      /line 4 of .* is an end line without a total/,
    ],
    [
      'an end with a strange total',
      `{"end":true,"total":"0"}`,
      /line 1 of .* is an end line without a total/,
    ],
  ])('is contradicted by %s', async (_, content, words) => {
    const source = open(fileWith(content));
    await expect(idsIn(source)).rejects.toMatchObject({
      code: 'incompleteListing',
      message: expect.stringMatching(words) as string,
    });
    expect((await source.evidence()).complete).toBe(false);
  });

  it.each([
    ['2', /3 records read, but .*\.total says 2/],
    ['three', /\.total does not hold a number of records/],
  ])('is contradicted by a .total file with %s', async (total, words) => {
    const path = fileWith(lines(someRows(3)));
    writeFileSync(`${path}.total`, total);
    await expect(idsIn(open(path))).rejects.toThrow(words);
  });

  it('is not a record that resembles an end line', async () => {
    const path = fileWith(`{"id":"a","updated_at":"2026-01-01T00:00:00Z","end":true,"total":1}\n`);
    expect(await idsIn(open(path))).toEqual(['a']);
    expect((await evidenceIn(path)).complete).toBe(false);
  });

  it('is void if the id of a record is not readable', async () => {
    const path = fileWith(`${lines(someRows(3))}{}\n${END(4)}`);
    expect(await evidenceIn(path)).toEqual({
      complete: false,
      words: expect.stringMatching(/the id of line 4 of .* cannot be read/) as string,
    });
  });

  const writers: [string, (path: string) => void][] = [
    ['appended to', (path) => appendFileSync(path, '\n')],
    ['truncated', (path) => truncateSync(path, 10)],
    ['touched', (path) => utimesSync(path, new Date(), new Date())],
  ];

  it.each(writers)('is void if the file is %s during the reading', async (_, write) => {
    const path = fileWith(`${lines(someRows(3))}${END(3)}`);
    const source = open(path, { settleMs: 100 });
    for await (const { ids } of source.ids(1)) if (ids.includes('r00001')) write(path);
    expect(await source.evidence()).toMatchObject({
      complete: false,
      words: expect.stringMatching(/was written while it was read/) as string,
    });
  });

  it('of an old file stays valid if another file is renamed into its place', async () => {
    const path = fileWith(`${lines(someRows(3))}${END(3)}`);
    const source = open(path);
    for await (const { ids } of source.ids(1)) {
      if (!ids.includes('r00001')) continue;
      const next = `${path}.next`;
      writeFileSync(next, lines(someRows(1)));
      renameSync(next, path);
    }
    expect((await source.evidence()).complete).toBe(true);
  });

  it.each([
    ['young', () => new Date()],
    ['from the future', () => new Date(Date.now() + 3_600_000)],
  ])('of a file that is %s needs a wait, which is reported', async (_, time) => {
    const path = fileWith(`${lines(someRows(3))}${END(3)}`);
    utimesSync(path, time(), time());
    const waits: (string | null)[] = [];
    const source = open(path, { settleMs: 300, onWait: (words) => waits.push(words) });
    const began = performance.now();
    await idsIn(source);
    // Only on request: a delta needs no evidence.
    expect(waits).toEqual([]);
    expect((await source.evidence()).complete).toBe(true);
    expect(performance.now() - began).toBeGreaterThanOrEqual(290);
    expect(waits).toEqual([expect.stringMatching(/was written recently: waiting 1 s/), null]);
  });

  it.each(writers)('of a young file is void if it is %s meanwhile', async (_, write) => {
    const path = fileWith(`${lines(someRows(3))}${END(3)}`, { old: false });
    const source = open(path, {
      settleMs: 300,
      onWait: (words) => {
        if (words !== null) setTimeout(() => write(path), 20);
      },
    });
    await idsIn(source);
    expect((await source.evidence()).complete).toBe(false);
  });

  it('is not waited for once the run is stopped', async () => {
    const path = fileWith(`${lines(someRows(3))}${END(3)}`, { old: false });
    const stop = new AbortController();
    const source = open(path, { stop: stop.signal, onWait: () => stop.abort(new Error('enough')) });
    await idsIn(source);
    await expect(source.evidence()).rejects.toThrow('enough');
  });
});
