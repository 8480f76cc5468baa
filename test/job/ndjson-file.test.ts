import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EXIT } from '../../src/domain/exit-code.ts';
import { createNdjsonFileSource } from '../../src/job/sources/ndjson-file.ts';
import { collect, lines, someRows } from './support/fake-source.ts';
import { namesOf, setup } from './support/setup.ts';

function fileWith(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'syncrator-ndjson-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'records.ndjson');
  writeFileSync(path, text);
  return path;
}

const open = (path: string) => createNdjsonFileSource({ path, stop: new AbortController().signal });

describe('source ndjson over a file', () => {
  it('serves sync, delta and delete', async () => {
    await using t = await setup();
    const rows = someRows(30);
    const path = fileWith(lines(rows));
    const environment = { SOURCE_FILE: path, SOURCE_URL: '' };
    expect((await t.run('sync -n 7', environment)).code).toBe(EXIT.ok);
    rows[3] = { id: 'r00004', updated_at: new Date().toISOString(), name: 'changed' };
    writeFileSync(path, lines(rows));
    expect((await t.run('delta', environment)).code).toBe(EXIT.ok);
    expect(t.receiver.reports.at(-1)).toMatchObject({ added: 0, updated: 1, records_done: 1 });
    rows.pop();
    writeFileSync(path, lines(rows));
    expect((await t.run('delete', environment)).code).toBe(EXIT.ok);
    expect(await t.names()).toEqual(namesOf(rows));
  });

  it('goes by the time the file was written', async () => {
    const path = fileWith(lines(someRows(1)));
    const written = new Date('2026-02-03T04:05:06Z');
    utimesSync(path, written, written);
    expect(await open(path).survey(null)).toEqual({ now: written, total: null });
  });

  it.each([
    ['ends in mid line', lines(someRows(3)).slice(0, -1), /no end/],
    ['is out of order', lines(someRows(3).reverse()), /line 2 of .*byte order/],
    ['holds nonsense', 'nonsense\n', /line 1 of .*not JSON/],
  ])('fails if the file %s', async (_, text, expected) => {
    const source = open(fileWith(text));
    await expect(collect(source.ids())).rejects.toThrow(expected);
  });

  it('fails if there is none', async () => {
    await expect(open('/nowhere/at.all').survey(null)).rejects.toThrow(/ENOENT/);
  });
});
