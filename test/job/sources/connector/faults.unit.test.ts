/** Connectors that fail, stop, hang or talk too much. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { parseCheck } from '../../../../src/job/arguments.ts';
import { runCheck } from '../../../../src/job/check/check.ts';
import { collect } from '../../support/fake-source.ts';
import { idsIn, recordsIn } from '../sql/support/database.ts';
import { drop, open, settingsOf } from './support/open.ts';

const ROWS = Array.from({ length: 20 }, (_, nth) => ({ id: `p${nth}` }));
const SECRET = 'Zebra"crossing/9';

const JOB = resolve(import.meta.dirname, '../../../../src/job/main.ts');

type Told = {
  verb: string;
  args: string[];
  mode: string;
  environment: Record<string, string>;
  folder: string;
  pid: number;
};

function told(file: string): Told[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Told);
}

const isAlive = (pid: number): boolean =>
  existsSync(`/proc/${pid}`) && !/\nState:\tZ/.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

describe('a connector', () => {
  it.each([
    ['incomplete', 'STREAM_STATUS INCOMPLETE'],
    ['no status', 'no STREAM_STATUS COMPLETE'],
    ['exit 1', 'ended with exit code 1'],
    ['killed', 'ended with exit code 137 (killed, often for lack of memory)'],
    ['cut', 'no STREAM_STATUS COMPLETE'],
    ['crash', 'the source said 503'],
    ['foreign', 'all 21 records that came are of other streams'],
    ['lost', 'it sent 21 records before a STATE, but 20 came'],
  ])('with the fault "%s" gives no listing at all', async (fault, words) => {
    const source = open(settingsOf({ ...drop().records(ROWS), fault }));
    const error: unknown = await source.survey(null).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'incompleteListing', message: expect.stringContaining(words) });
    await expect(collect(source.ids(5))).rejects.toMatchObject({ code: 'incompleteListing' });
    expect((await source.evidence()).complete).toBe(false);
  });

  it.each(['broken', 'two at once'])(
    'with a line that may have been a record ("%s") proves nothing',
    async (fault) => {
      const source = open(settingsOf({ ...drop().records(ROWS), fault }));
      const batches = await collect(source.changedSince(null, null, 100));
      expect(batches.flatMap(({ records }) => records)).toHaveLength(20);
      expect(batches.flatMap(({ rejected }) => rejected)).toMatchObject([
        { id: null, where: 'record 11 of places' },
      ]);
      expect((await source.evidence()).complete).toBe(false);
    },
  );

  it('may print other texts among its messages, and the log has them', async () => {
    const log: string[] = [];
    const source = open(settingsOf({ ...drop().records(ROWS), fault: 'noise' }), { log });
    expect(await idsIn(source)).toHaveLength(20);
    expect((await source.evidence()).complete).toBe(true);
    expect(log).toContain('connector: Downloading…');
  });

  it('that hangs is ended, with everything that it has started', async () => {
    const folder = drop();
    const config = { ...folder.records(ROWS), fault: 'hang', tell: folder.path('told') };
    // A busy machine takes seconds to start each command.
    const source = open(settingsOf(config, { CONNECTOR_SILENCE: '5s' }));
    await expect(source.survey(null)).rejects.toMatchObject({
      code: 'sourceTimeout',
      message: expect.stringContaining('wrote nothing for 5 s'),
    });
    const [, , read] = told(folder.path('told'));
    expect(read).toMatchObject({ verb: 'read' });
    await expect.poll(() => isAlive(read?.pid ?? 0)).toBe(false);
    expect(existsSync(read?.folder ?? '/')).toBe(false);
  });

  it('is ended when the job is', async () => {
    const folder = drop();
    const config = { ...folder.records(ROWS), fault: 'hang', tell: folder.path('told') };
    const stop = new AbortController();
    const source = open(settingsOf(config), { stop: stop.signal });
    const surveyed = source.survey(null).catch((error: unknown) => error);
    await expect.poll(() => existsSync(folder.path('told')) && told(folder.path('told')).length).toBe(3);
    stop.abort(new Error('enough'));
    expect(await surveyed).toMatchObject({ message: 'enough' });
    const [, , read] = told(folder.path('told'));
    await expect.poll(() => isAlive(read?.pid ?? 0)).toBe(false);
    expect(existsSync(read?.folder ?? '/')).toBe(false);
  });

  it('is ended, and its config removed, also if the job is killed', async () => {
    const folder = drop();
    const config = { ...folder.records(ROWS), fault: 'hang', tell: folder.path('told') };
    const sink = { SINK: 'postgres', SINK_URL: 'postgres://u@127.0.0.1:1/x', SINK_TABLE: 'places' };
    const job = spawn(process.execPath, [JOB, 'check'], {
      env: { PATH: process.env['PATH'], ...settingsOf(config), ...sink },
      stdio: 'ignore',
    });
    onTestFinished(() => void job.kill('SIGKILL'));
    await expect
      .poll(() => existsSync(folder.path('told')) && told(folder.path('told')).length, { timeout: 20_000 })
      .toBe(3);
    const [, , read] = told(folder.path('told'));
    expect(isAlive(read?.pid ?? 0)).toBe(true);
    job.kill('SIGKILL');
    await expect.poll(() => isAlive(read?.pid ?? 0)).toBe(false);
    await expect.poll(() => existsSync(read?.folder ?? '/')).toBe(false);
  });

  it('that leaves a process behind holds nobody up', async () => {
    const source = open(settingsOf({ ...drop().records(ROWS), fault: 'left behind' }));
    expect(await idsIn(source)).toHaveLength(20);
    expect((await source.evidence()).complete).toBe(true);
  });

  it('gets its config in a file for itself, and nothing of our environment', async () => {
    const folder = drop();
    process.env['SINK_URL'] = 'postgres://user:hush@db/x';
    const source = open(settingsOf({ ...folder.records(ROWS), secret: SECRET, tell: folder.path('told') }));
    await recordsIn(source).finally(() => delete process.env['SINK_URL']);
    for (const { args, mode, environment, folder: own } of told(folder.path('told'))) {
      expect(mode).toBe('600');
      expect(args.join(' ')).not.toContain('Zebra');
      expect(JSON.stringify(environment)).not.toMatch(/hush|Zebra/);
      expect(Object.keys(environment)).not.toContain('SINK_URL');
      expect(environment['HOME']).toBe(own);
      expect(existsSync(own)).toBe(false);
    }
  });

  it('writes into the log of the job, masked and not without end', async () => {
    const log: string[] = [];
    const source = open(settingsOf({ ...drop().records(ROWS), fault: 'flood', secret: SECRET }), { log });
    expect(await idsIn(source)).toHaveLength(20);
    expect(log.length).toBeLessThan(1_100);
    expect(log.join('\n')).not.toMatch(/Zebra|crossing/);
    expect(log).toContain('connector: INFO reading with <FILTERED>');
    expect(log.at(-1)).toMatch(/more lines were left out; the last one: line 4999/);
  });

  it('that fails its check ends the job at once, with the reason of the check, before anything is read, and shows no secret', async () => {
    const folder = drop();
    const config = { ...folder.records(ROWS), fault: 'refused', secret: SECRET, tell: folder.path('told') };
    await expect(open(settingsOf(config)).survey(null)).rejects.toMatchObject({
      code: 'notConfigured',
      message: expect.stringMatching(/the check of node failed .*: no login with <FILTERED>$/),
    });
    expect(told(folder.path('told')).map(({ verb }) => verb)).not.toContain('read');
  });

  it('is checked by a check of its target', async () => {
    const config = { ...drop().records(ROWS), fault: 'refused' };
    const sink = { SINK: 'postgres', SINK_URL: 'postgres://u@127.0.0.1:1/x', SINK_TABLE: 'places' };
    const parsed = parseCheck(['check']);
    if (parsed.kind !== 'run') throw new Error(parsed.text);
    let text = '';
    const code = await runCheck({
      given: parsed.arguments,
      environment: { ...settingsOf(config), ...sink },
      terminate: new AbortController().signal,
      json: true,
      write: (more) => void (text += more),
      patienceMs: 100,
    });
    expect(code).toBe(EXIT.notConfigured);
    expect(JSON.parse(text)).toMatchObject({
      source: { fault: expect.stringContaining('the check of node failed') },
    });
  });

  it('may leave out the namespace of its stream', async () => {
    const config = { ...drop().records(ROWS), fault: 'namespace' };
    const source = open(settingsOf(config, { CONNECTOR_STREAM: 'shop.places' }));
    expect(await idsIn(source)).toHaveLength(20);
    expect((await source.evidence()).complete).toBe(true);
  });

  it.each([
    ['/no/such/program', 'cannot be found'],
    ['/etc/passwd', 'cannot be run'],
    // A word of the shell is no program.
    ['eval true', 'cannot be found'],
  ])('%s is named if it %s', async (program, words) => {
    const source = open(settingsOf({}, { CONNECTOR: program }));
    await expect(source.survey(null)).rejects.toMatchObject({
      code: 'notConfigured',
      message: expect.stringContaining(words),
    });
  });

  it.each([
    [{ CONNECTOR_STREAM: 'plces' }, {}, /did you mean places\?.* it has places, public.other/],
    [{}, { key: null }, /has no primary key of its own; name the fields .* in SOURCE_ID/],
    [
      { SOURCE_ID: 'code' },
      {},
      /has a value in code, which SOURCE_ID names; set SOURCE_ID to some of its fields: id/,
    ],
    [{ SOURCE_UPDATED_AT: 'changed' }, {}, /the field changed, which SOURCE_UPDATED_AT names; it has id/],
  ])('with wrong settings %o says what to correct', async (more, config, words) => {
    const source = open(settingsOf({ ...drop().records(ROWS), ...config }, more));
    await expect(source.survey(null)).rejects.toMatchObject({
      code: 'notConfigured',
      message: expect.stringMatching(words),
    });
  });

  it('does not keep a listing for complete that a second reading contradicts', async () => {
    const folder = drop();
    const source = open(settingsOf(folder.records(ROWS.slice(1))));
    await idsIn(source);
    folder.records(ROWS);
    expect([...(await source.stillThere(['p0', 'p99']))]).toEqual(['p0']);
  });
});
