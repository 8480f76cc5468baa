/** The STATE of a connector is kept with the live data of every sink, and only while it belongs to them. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { drop, settingsOf } from '../../sources/connector/support/open.ts';
import { job, last, type SetUp, type SinkAdapter, type TestedSink, uid } from './tested-sink.ts';

type Row = { id: string; name: string; updated_at: string };
type Told = { verb: string; modes: string[]; state: string | null };

const at = (minute: number): string => `2026-11-01T10:${String(minute).padStart(2, '0')}:00Z`;
const SECRET = 'Zebra-crossing-9';

/** A sink with 30 records of a connector, by a sync of job 1. */
async function connected(setup: SetUp, protocol: 'airbyte' | 'singer', more: Record<string, unknown> = {}) {
  const folder = drop();
  const tell = folder.path('told');
  const rows = new Map<string, Row>();
  const put = (id: string, name: string, minute: number): void => {
    rows.set(id, { id, name, updated_at: at(minute) });
    folder.records([...rows.values()]);
  };
  for (let nth = 0; nth < 30; nth += 1) put(`p${String(nth).padStart(3, '0')}`, 'first', 0);
  const t: TestedSink = await setup([]);
  const singer = {
    CONNECTOR_PROTOCOL: 'singer',
    CONNECTOR_STREAM: 'public-places',
    CONNECTOR_EXIT_COMPLETE: 'true',
  };
  const settings = (config: Record<string, unknown>) =>
    settingsOf(
      {
        ...folder.records([...rows.values()]),
        tell,
        cursor: 'updated_at',
        padding: SECRET,
        ...more,
        ...config,
      },
      { SOURCE_UPDATED_AT: 'updated_at', ...(protocol === 'singer' ? singer : {}) },
    );
  let nth = 0;
  const attempt = async (options: string, of: { config?: object; environment?: object } = {}) => {
    nth += 1;
    rmSync(tell, { force: true });
    const environment = { ...settings({ ...of.config }), ...job(nth), ...of.environment };
    const ended = await t.run(`${options} --api_job_id ${nth}`, environment);
    expect(ended.output + JSON.stringify(t.receiver.reports)).not.toContain(SECRET);
    return ended;
  };
  const readings = (): Told[] =>
    (existsSync(tell) ? readFileSync(tell, 'utf8').trim().split('\n') : [])
      .map((line) => JSON.parse(line) as Told)
      .filter(({ verb, modes }) => verb === 'read' || (verb === '--config' && modes.length > 1));
  /** Runs a job that must succeed. @returns the moment of the STATE that it began with; null: none */
  const run = async (options: string, of: Parameters<typeof attempt>[1] = {}): Promise<string | null> => {
    const { code, output } = await attempt(options, of);
    expect([code, output]).toEqual([EXIT.ok, output]);
    for (const { modes } of readings()) expect(new Set(modes)).toEqual(new Set(['600']));
    return sinceOf(readings()[0]);
  };
  await run('sync');
  return { t, put, rows, run, attempt, readings, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() };
}

function sinceOf(told: Told | undefined): string | null {
  return told?.state ? (/"since":"([^"]*)"/.exec(told.state)?.[1] ?? 'no time') : null;
}

export function testSourceState(name: string, setup: SetUp, { rollbackVoidsHeld }: SinkAdapter): void {
  // Each test runs many jobs, each of which starts the connector several times.
  describe(`the STATE of a connector in ${name}`, { timeout: 240_000 }, () => {
    it('moves with the apply of a planned delta, and not with its plan', async () => {
      await using c = await connected(setup, 'airbyte');
      await c.run('delta');
      c.put('p100', 'new', 5);
      expect(await c.run('plan --of delta')).toBe(at(0));
      expect(await c.run('plan --of delta'), 'job 4 reads from the same STATE').toBe(at(0));
      const { digest } = c.t.receiver.plan?.summary ?? {};
      await c.run(`apply --plan ${uid(4)} --digest ${digest}`);
      expect(last(c.t)).toMatchObject({ added: 1, updated: 0 });
      expect(await c.run('delta')).toBe(at(5));
    });

    it.each(['airbyte', 'singer'] as const)('is where the next delta of %s goes on', async (protocol) => {
      await using c = await connected(setup, protocol);
      expect(await c.run('delta'), 'after a sync').toBeNull();
      expect(last(c.t)).toMatchObject({ added: 0, updated: 0, records_done: 30 });
      c.put('p001', 'second', 5);
      c.put('p100', 'new', 5);
      expect(await c.run('delta')).toBe(at(0));
      expect(last(c.t)).toMatchObject({ added: 1, updated: 1, deleted: 0 });
      expect(await c.run('delta')).toBe(at(5));
      expect(last(c.t)).toMatchObject({ added: 0, updated: 0, records_done: 2 });
      // Nothing has changed since, so it goes on at the same place.
      expect(await c.run('delta')).toBe(at(5));
      expect((await c.t.names())['p001']).toBe('second');
      await c.run('delete');
      expect(await c.run('delta'), 'after a delete').toBe(at(5));
      expect(await c.run('sync')).toBeNull();
      expect(last(c.t)).toMatchObject({ added: 0, updated: 0, deleted: 0, listing: 'complete' });
      expect(await c.run('delta'), 'after a sync').toBeNull();
    });

    it.each(['exit 1', 'incomplete', 'crash'])('stays after a reading with the fault "%s"', async (fault) => {
      await using c = await connected(setup, 'airbyte');
      await c.run('delta');
      c.put('p001', 'second', 5);
      expect((await c.attempt('delta', { config: { fault: '' } })).code).toBe(EXIT.ok);
      c.put('p002', 'second', 6);
      const { code } = await c.attempt('delta', { config: { fault } });
      expect(code).not.toBe(EXIT.ok);
      // The fault is a part of the config, and other settings begin anew.
      expect(sinceOf(c.readings()[0])).toBeNull();
      expect(await c.run('delta', { config: { fault: '' } })).toBe(at(5));
      expect((await c.t.names())['p002']).toBe('second');
    });

    it('does not go on behind a record that was set aside', async () => {
      await using c = await connected(setup, 'airbyte');
      await c.run('delta');
      c.put('p001', 'nul\u0000', 5);
      const environment = { MAX_REJECTED: '1' };
      expect(await c.run('delta', { environment })).toBe(at(0));
      expect(last(c.t)).toMatchObject({ failed: 1 });
      c.put('p001', 'mended', 5);
      expect(await c.run('delta')).toBe(at(0));
      expect((await c.t.names())['p001']).toBe('mended');
      expect(await c.run('delta')).toBe(at(5));
    });

    it('is not kept above 256 KiB, and goes with the settings that it belongs to', async () => {
      await using c = await connected(setup, 'airbyte');
      await c.run('delta');
      expect(await c.run('delta')).toBe(at(0));
      expect(await c.run('delta', { config: { other: 'account' } })).toBeNull();
      const { output } = await c.attempt('delta', { config: { padding: `${SECRET}${'x'.repeat(300_000)}` } });
      expect(output).toContain('longer than 256 KiB');
      const padding = `${SECRET}${'x'.repeat(300_000)}`;
      expect(await c.run('delta', { config: { padding } })).toBeNull();
    });

    it('is kept whole up to 256 KiB, also beside that of an earlier generation', async () => {
      const padding = `${SECRET}${'"ä\\'.repeat(25_000)}`;
      await using c = await connected(setup, 'airbyte', { padding });
      await c.run('delta');
      expect(await c.run('delta')).toBe(at(0));
      await c.run('sync');
      expect(await c.run('delta')).toBeNull();
      expect(await c.run('delta')).toBe(at(0));
      const state = JSON.parse(c.readings()[0]?.state ?? '') as [{ stream: { stream_state: object } }];
      expect(state[0].stream.stream_state).toMatchObject({ padding });
    });

    it('goes once a record is forgotten, which it may name', async () => {
      await using c = await connected(setup, 'airbyte');
      await c.run('delta');
      expect(await c.run('delta')).toBe(at(0));
      await c.run('forget-record --id p001');
      expect(await c.run('delta')).toBeNull();
    });

    it('comes back, or goes, with the data that a rollback restores', async () => {
      await using c = await connected(setup, 'airbyte');
      await c.run('delta');
      c.put('p001', 'second', 5);
      await c.run('delta');
      if (rollbackVoidsHeld) {
        // One generation is kept: that of before the last sync, with its STATE.
        c.put('p002', 'second', 6);
        await c.run('sync');
        await c.run('rollback');
        expect(await c.run('delta')).toBe(at(5));
        return;
      }
      await c.run('rollback --before 3');
      expect((await c.t.names())['p001']).toBe('first');
      expect(await c.run('delta'), 'before the second delta').toBe(at(0));
      expect((await c.t.names())['p001']).toBe('second');
      await c.run('rollback --before 2');
      expect(await c.run('delta'), 'before the first delta').toBeNull();
      await c.run('rollback --before 6');
      expect(await c.run('delta'), 'before that rollback').toBe(at(5));
    });
  });
}
