/** The headers of tar files, compared with what the system's `tar` creates and lists. */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { type TarEntry, tarEntries, TarFault } from '../../../../src/api/compat/microdata/tar-entries.ts';

const dir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-tar-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function entriesOf(file: string, most = 1_000): Promise<TarEntry[]> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const entries: TarEntry[] = [];
    for await (const entry of tarEntries(handle, { size, most, signal: AbortSignal.timeout(20_000) }))
      entries.push(entry);
    return entries;
  } finally {
    await handle.close();
  }
}

const tar = (...args: string[]) =>
  execFileSync('tar', args, {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C.UTF-8' },
  });

/** The system tar's own list of the contents. */
const listed = (file: string) =>
  tar('-tf', file, '--quoting-style=literal')
    .split('\n')
    .filter((line) => line !== '');

let made = 0;
function freshFolder(): string {
  const folder = path.join(dir, `files-${++made}`);
  mkdirSync(folder);
  return folder;
}

const segment = fc.oneof(
  fc.constantFrom('chunks', 'MY_DATASET.json', 'a b', 'é', '数据', '🎬', '%2e', "it's"),
  fc.integer({ min: 1, max: 60 }).map((n) => 'n'.repeat(n)),
);
const files = fc.uniqueArray(
  fc.record({
    segments: fc.array(segment, { minLength: 1, maxLength: 6 }),
    size: fc.constantFrom(0, 1, 511, 512, 513, 20_000),
  }),
  { minLength: 1, maxLength: 8, selector: ({ segments }) => segments.join('/') },
);

test.each(['v7', 'ustar', 'gnu', 'pax', 'oldgnu'])(
  '%s: the names that tar lists, in their order',
  async (format) => {
    // ustar and v7 cannot hold every name: tar leaves those out, and so does its list.
    await fc.assert(
      fc.asyncProperty(files, async (wanted) => {
        const folder = freshFolder();
        for (const { segments, size } of wanted)
          try {
            mkdirSync(path.join(folder, ...segments.slice(0, -1)), { recursive: true });
            writeFileSync(path.join(folder, ...segments), 'x'.repeat(size), { flag: 'wx' });
          } catch {
            // a folder and a file of the same name: one of them is enough
          }
        const file = path.join(dir, `${made}.tar`);
        try {
          execFileSync('tar', ['-cf', file, `--format=${format}`, '-C', folder, '.'], { stdio: 'pipe' });
        } catch {
          // names too long for the format; the archive has the others
        }
        const found = await entriesOf(file);
        expect(found.map(({ name }) => name)).toEqual(listed(file));
        expect(found.every(({ name, isFile }) => isFile !== name.endsWith('/'))).toBe(true);
        rmSync(folder, { recursive: true });
        rmSync(file);
      }),
      { numRuns: 25 },
    );
  },
);

test('sparse files of 20 GiB, links and pipes are skipped; big sizes are read', async () => {
  const folder = freshFolder();
  closeSync(openSync(path.join(folder, 'big'), 'w'));
  truncateSync(path.join(folder, 'big'), 20 * 1024 ** 3);
  const holed = openSync(path.join(folder, 'holed'), 'w');
  for (let i = 0; i < 60; i++) writeSync(holed, 'x', i * 1024 ** 2); // more than one block of GNU's map
  closeSync(holed);
  writeFileSync(path.join(folder, 'MY_DATASET.json'), '{}');
  execFileSync('ln', ['-s', 'MY_DATASET.json', path.join(folder, 'link')]);
  execFileSync('ln', [path.join(folder, 'MY_DATASET.json'), path.join(folder, 'same')]);
  execFileSync('mkfifo', [path.join(folder, 'pipe')]);
  for (const format of ['gnu', 'pax']) {
    const file = path.join(dir, `sparse-${format}.tar`);
    tar('-cf', file, '--sparse', `--format=${format}`, '-C', folder, '.');
    const entries = await entriesOf(file);
    expect(entries.map(({ name }) => name)).toEqual(listed(file));
    expect(entries.find(({ name }) => name === './link')?.isFile).toBe(false);
    expect(entries.find(({ name }) => name === './big')?.isFile).toBe(true);
  }
});

test('a backup of GNU tar is read, although it has times where ustar has the beginning of a name', async () => {
  const folder = freshFolder();
  mkdirSync(path.join(folder, 'chunks'));
  writeFileSync(path.join(folder, 'chunks', '1'), 'x');
  writeFileSync(path.join(folder, 'MY_DATASET.json'), '{}');
  const file = path.join(dir, 'backup.tar');
  tar('-cf', file, '--format=gnu', '--incremental', '-C', folder, '.');
  expect(
    readFileSync(file)
      .subarray(345, 357)
      .some((byte) => byte !== 0),
  ).toBe(true);
  const names = (await entriesOf(file)).map(({ name }) => name);
  expect(names).toEqual(listed(file));
  expect(names).toContain('./MY_DATASET.json');
});

test('a tar of 9 GiB and more is read by its headers within a second', async () => {
  const file = path.join(dir, 'huge.tar');
  const folder = freshFolder();
  writeFileSync(path.join(folder, 'MY_DATASET.json'), '{}');
  const one = path.join(dir, 'one.tar');
  tar('-cf', one, '--format=gnu', '-C', folder, 'MY_DATASET.json');
  // A header that says 9 GiB in GNU's way; the file is sparse and as long.
  const header = Buffer.from(readFileSync(one).subarray(0, 512));
  const size = 9 * 1024 ** 3;
  header.write('chunks/0\0', 0, 'latin1');
  header.fill(0, 9, 100);
  header.writeUInt8(0x80, 124);
  header.fill(0, 125, 128);
  header.writeBigUInt64BE(BigInt(size), 128);
  header.fill(' ', 148, 156);
  header.write(
    `${[...header]
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
    'latin1',
  );
  writeFileSync(file, header);
  truncateSync(file, 512 + size);
  writeFileSync(file, readFileSync(one), { flag: 'a' });
  const began = performance.now();
  expect((await entriesOf(file)).map(({ name }) => name)).toEqual(['chunks/0', 'MY_DATASET.json']);
  expect(performance.now() - began).toBeLessThan(3_000);
  expect(listed(file)).toEqual(['chunks/0', 'MY_DATASET.json']);
});

test('a tar with any damage is either read or refused with a message', async () => {
  const folder = freshFolder();
  mkdirSync(path.join(folder, 'chunks'));
  writeFileSync(path.join(folder, 'chunks', 'é'.repeat(90)), 'x'.repeat(700));
  writeFileSync(path.join(folder, 'MY_DATASET.json'), '{}');
  const whole = path.join(dir, 'whole.tar');
  tar('-cf', whole, '--format=pax', '-C', folder, '.');
  const bytes = readFileSync(whole);
  const changed = path.join(dir, 'changed.tar');
  const at = fc.nat(4_096);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(at, fc.nat(255)), { maxLength: 6 }),
      fc.option(fc.nat(bytes.length)),
      async (changes, cut) => {
        const own = Buffer.from(bytes.subarray(0, cut ?? bytes.length));
        for (const [where, to] of changes) if (where < own.length) own[where] = to;
        writeFileSync(changed, own);
        await entriesOf(changed).catch((error: unknown) => expect(error).toBeInstanceOf(TarFault));
      },
    ),
    { numRuns: 300 },
  );
});

test.each<[string, (bytes: Buffer) => Buffer, string]>([
  ['nothing', () => Buffer.alloc(0), 'not a tar file'],
  ['text', () => Buffer.from('not a tar'.repeat(200)), 'not a tar file'],
  ['cut off within a content', (bytes) => bytes.subarray(0, 1_300), 'cut off'],
  ['cut off after a content, like an unfinished copy', (bytes) => bytes.subarray(0, 2_048), 'cut off'],
])('refuses %s', async (_, change, why) => {
  const folder = freshFolder();
  writeFileSync(path.join(folder, 'a'), 'x'.repeat(1_000));
  const file = path.join(dir, 'refused.tar');
  tar('-cf', file, '--format=ustar', '-C', folder, '.');
  writeFileSync(file, change(readFileSync(file)));
  await expect(entriesOf(file)).rejects.toThrow(why);
});

test('a tar cut off within a long name is refused', async () => {
  const folder = freshFolder();
  writeFileSync(path.join(folder, 'n'.repeat(200)), 'x');
  for (const format of ['gnu', 'pax']) {
    const file = path.join(dir, `long-${format}.tar`);
    tar('-cf', file, `--format=${format}`, '-C', folder, 'n'.repeat(200));
    truncateSync(file, 512 + 100);
    await expect(entriesOf(file)).rejects.toThrow('cut off');
  }
});

test('a tar with too many entries is refused', async () => {
  const folder = freshFolder();
  for (let i = 0; i < 20; i++) writeFileSync(path.join(folder, `${i}`), '');
  const file = path.join(dir, 'many.tar');
  tar('-cf', file, '-C', folder, '.');
  await expect(entriesOf(file, 20)).rejects.toThrow('more than 20 entries');
  expect(await entriesOf(file, 21)).toHaveLength(21);
});
