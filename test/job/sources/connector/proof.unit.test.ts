/** Connectors that seem to end well: what proves a listing, and what does not. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createEntryStore } from '../../../../src/job/sources/entry-store.ts';
import { collect } from '../../support/fake-source.ts';
import { idsIn } from '../sql/support/database.ts';
import { drop, open, settingsOf } from './support/open.ts';

const ROWS = Array.from({ length: 20 }, (_, nth) => ({ id: `p${nth}` }));
const JOB = resolve(import.meta.dirname, '../../../../src/job/main.ts');
const SINGER = {
  CONNECTOR_PROTOCOL: 'singer',
  CONNECTOR_STREAM: 'public-places',
  CONNECTOR_EXIT_COMPLETE: 'true',
};

const record = (more: object): string => JSON.stringify({ type: 'RECORD', record: more });
const trace = (error: object): string => JSON.stringify({ type: 'TRACE', trace: { type: 'ERROR', error } });
/** As the Python CDK writes it: its count is a float. */
const stateOf = (count: string): string =>
  `{"type":"STATE","state":{"stream":{"stream_descriptor":{"name":"places"}},"sourceStats":{"recordCount":${count}}}}`;

/** The stand-in writes a STATE of its own behind its records, and then these lines. */
const openWith = (lines: readonly string[], more: object = {}, settings: Record<string, string> = {}) =>
  open(settingsOf({ ...drop().records(ROWS), lines, ...more }, settings));

const isAlive = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !/\nState:\tZ/.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

describe('a connector that calls a stream complete', () => {
  it.each([
    [
      'and lost records by a count that is a float',
      [stateOf('3.0')],
      'sent 3 records before a STATE, but 0 came',
    ],
    [
      'and reports an error',
      [trace({ message: 'page 2: 503' })],
      'reports an error (TRACE ERROR).*: page 2: 503',
    ],
    [
      'and reports an error of the stream',
      [trace({ message: 'no', stream_descriptor: { name: 'places' } })],
      'reports an error',
    ],
  ])('%s gives no listing', async (_what, lines, words) => {
    await expect(openWith(lines).survey(null)).rejects.toMatchObject({
      code: 'incompleteListing',
      message: expect.stringMatching(words.replaceAll(/[()]/g, String.raw`\$&`)),
    });
  });

  it.each([
    ['counts in floats', [record({ stream: 'places', data: { id: 'q' } }), stateOf('1.0')], 21],
    [
      'reports an error of another stream',
      [trace({ message: 'no', stream_descriptor: { name: 'other' } })],
      20,
    ],
    ['logs what is no text', ['{"type":"LOG","log":{"level":"INFO","message":5.0}}'], 20],
  ])('and %s is believed', async (_what, lines, count) => {
    const source = openWith(lines);
    expect(await idsIn(source)).toHaveLength(count);
    expect((await source.evidence()).complete).toBe(true);
  });

  it.each([
    ['names no stream', record({ data: { id: 'q' } }), 'it does not name its stream'],
    [
      'names a namespace that the catalog lacks',
      record({ stream: 'places', namespace: 'shop', data: { id: 'q' } }),
      'it names a namespace',
    ],
  ])('and sends a record that %s proves nothing', async (_what, line, words) => {
    const source = openWith([line]);
    const batches = await collect(source.changedSince(null, null, 100));
    expect(batches.flatMap(({ rejected }) => rejected)).toMatchObject([
      { id: null, why: expect.stringContaining(words) },
    ]);
    expect((await source.evidence()).complete).toBe(false);
  });

  it('counts a line that cannot be read, which is then a rejected record and no fault of the count', async () => {
    const source = openWith([
      '{"type":"RECORD","record":{"stream":"places","data":{"id":NaN}}}',
      stateOf('1'),
    ]);
    const batches = await collect(source.changedSince(null, null, 100));
    expect(batches.flatMap(({ rejected }) => rejected)).toHaveLength(1);
    expect((await source.evidence()).complete).toBe(false);
  });

  it('and logs control characters does not control a terminal', async () => {
    const log: string[] = [];
    const message = 'first\n\u001b[2Jsecond\r\u0007';
    const config = {
      ...drop().records(ROWS),
      lines: [JSON.stringify({ type: 'LOG', log: { level: 'INFO', message } })],
    };
    await open(settingsOf(config), { log }).survey(null);
    expect(log).toContain('connector: INFO first [2Jsecond');
  });

  it('and has cut values is quoted in a remark', async () => {
    const meta = { changes: [{ field: 'name', change: 'NULLED', reason: 'SOURCE_FIELD_SIZE_LIMITATION' }] };
    const source = openWith([
      record({ stream: 'places', data: { id: 'q', name: null }, meta }),
      record({ stream: 'places', data: { id: 'r' }, meta: { changes: [] } }),
    ]);
    expect(await idsIn(source)).toHaveLength(22);
    expect(source.remarks?.()).toEqual([
      expect.stringContaining('left out or cut values of 1 of 22 records'),
    ]);
  });

  it('may write an empty namespace', async () => {
    const source = openWith([record({ stream: 'places', namespace: '', data: { id: 'q' } })]);
    expect(await idsIn(source)).toHaveLength(21);
    expect((await source.evidence()).complete).toBe(true);
  });

  it('with ids that differ in half characters lists none of them', async () => {
    const lines = ['\ud800', '\ud801'].map((id) => record({ stream: 'places', data: { id } }));
    const source = openWith(lines);
    expect(await idsIn(source)).toHaveLength(20);
    expect((await source.evidence()).complete).toBe(false);
    expect(source.remarks?.()).toEqual([]);
  });

  it('with a part of a primary key that is no path needs SOURCE_ID', async () => {
    await expect(openWith([], { key: ['id', [7]] }).survey(null)).rejects.toMatchObject({
      code: 'notConfigured',
      message: expect.stringContaining('name the fields that identify a record in SOURCE_ID'),
    });
  });
});

describe('the store of entries', () => {
  it('has its file in TMPDIR, else in /tmp', () => {
    const store = createEntryStore();
    onTestFinished(store.close);
    const line = 'x'.repeat(100_000);
    for (let nth = 0; nth < 400; nth += 1) store.put({ id: `p${nth}`, stamp: '', line, place: nth }, 1);
    const files = readdirSync('/proc/self/fd').map((fd) => linkOf(`/proc/self/fd/${fd}`));
    expect(files.filter((file) => file.includes('etilqs'))).toEqual([
      expect.stringMatching(new RegExp(`^${tmpdir()}/etilqs`)),
    ]);
  });
});

/** Empty for one that was closed meanwhile. */
function linkOf(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}

describe('a second reading', () => {
  it('with a record whose id cannot be read lets nothing go', async () => {
    const folder = drop();
    const source = open(settingsOf(folder.records(ROWS.slice(1))));
    await idsIn(source);
    folder.records([...ROWS.slice(1), { id: null }]);
    await expect(source.stillThere(['p0'])).rejects.toMatchObject({
      code: 'incompleteListing',
      message: expect.stringContaining('second reading'),
    });
  });
});

describe('a tap', () => {
  it('is read to the end of its pipeline', async () => {
    const source = openWith([], { fault: 'late' }, SINGER);
    expect(await idsIn(source)).toContain('late');
    expect((await source.evidence()).complete).toBe(true);
  });

  it('that leaves a process behind with its output proves nothing', async () => {
    const source = openWith([], { fault: 'held' }, SINGER);
    expect(await idsIn(source)).toHaveLength(20);
    expect(await source.evidence()).toMatchObject({
      complete: false,
      words: expect.stringContaining('a process that it left behind still held its output'),
    });
  });

  it('with records of other streams alone gives no listing', async () => {
    await expect(openWith([], { fault: 'foreign' }, SINGER).survey(null)).rejects.toMatchObject({
      code: 'incompleteListing',
      message: expect.stringContaining('all 20 records that came are of other streams'),
    });
  });

  it('with a record that names no stream proves nothing', async () => {
    const source = openWith([JSON.stringify({ type: 'RECORD', record: { id: 'q' } })], {}, SINGER);
    await idsIn(source);
    expect((await source.evidence()).complete).toBe(false);
  });
});

describe('the end of a connector', () => {
  it.each(['session', 'quiet session', 'bare session'])(
    'reaches processes in a session of their own ("%s")',
    async (fault) => {
      const folder = drop();
      const config = { ...folder.records(ROWS), fault, tell: folder.path('told') };
      const source = open(settingsOf(config));
      expect(await idsIn(source)).toHaveLength(20);
      expect((await source.evidence()).complete).toBe(true);
      const pid = Number(readFileSync(`${folder.path('told')}.child`, 'utf8'));
      await expect.poll(() => isAlive(pid)).toBe(false);
    },
  );

  it('reaches them also if the job is killed', async () => {
    const folder = drop();
    const config = { ...folder.records(ROWS), fault: 'hang in sessions', tell: folder.path('told') };
    const sink = { SINK: 'postgres', SINK_URL: 'postgres://u@127.0.0.1:1/x', SINK_TABLE: 'places' };
    const job = spawn(process.execPath, [JOB, 'check'], {
      env: { PATH: process.env['PATH'], ...settingsOf(config), ...sink },
      stdio: 'ignore',
    });
    onTestFinished(() => void job.kill('SIGKILL'));
    const file = `${folder.path('told')}.child`;
    await expect.poll(() => existsSync(file) && readFileSync(file, 'utf8'), { timeout: 20_000 }).toBeTruthy();
    const pid = Number(readFileSync(file, 'utf8'));
    expect(isAlive(pid)).toBe(true);
    job.kill('SIGKILL');
    await expect.poll(() => isAlive(pid)).toBe(false);
  });

  // Rights do not bind root, so that it proves something for other users alone.
  it('removes its folder without rights', async () => {
    const folder = drop();
    const config = { ...folder.records(ROWS), fault: 'no rights', tell: folder.path('told') };
    expect(await idsIn(open(settingsOf(config)))).toHaveLength(20);
    const folders = readFileSync(folder.path('told'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { folder: string }).folder);
    expect(folders.filter((one) => existsSync(one))).toEqual([]);
  });
});
