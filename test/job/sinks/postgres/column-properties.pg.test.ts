/** Generated lists, records and jobs: after each job the live columns are those of the model, or nothing has changed. */
import fc from 'fast-check';
import { Client } from 'pg';
import { expect, it } from 'vitest';
import { type ColumnType, parseType, sqlName, unfitFor } from '../../../../src/job/columns/column-types.ts';
import type { ColumnSettings } from '../../../../src/job/columns/columns-settings.ts';
import type { Column } from '../../../../src/job/columns/parse-columns.ts';
import type { SourceRecord } from '../../../../src/job/sources/source.ts';
import { createDatabase } from '../../../support/database.ts';
import { type Action, attempt } from '../../support/attempt.ts';
import { memorySource } from '../../support/memory-source.ts';

type Fields = Readonly<Record<string, unknown>>;
type Row = { readonly at: string; readonly record: Fields | null; readonly values: Fields };
type Live = ReadonlyMap<string, Row>;
type State = {
  /** null: there is no table yet. */
  readonly columns: ColumnSettings | null;
  readonly live: Live;
  /** What a rollback of the job before restores; null: it was no sync that can be undone. */
  readonly undone: { readonly before: Live; readonly changed: ReadonlySet<string> } | 'wall' | null;
};
type Step = {
  readonly action: Action;
  readonly records: readonly (Fields | null)[];
  /** null: those of the table. */
  readonly columns: ColumnSettings | null;
};

const CASES = 12;
const SEQUENCES = 25;
const MAY_DROP = ['name', 'pages', 'record'];

const fields = fc.record(
  {
    name: fc.constantFrom('x', 'y', 7, null),
    pages: fc.constantFrom(1, 2, 2.5, 99_999, 'many', null),
    other: fc.nat(1),
  },
  { requiredKeys: ['other'] },
);
const type = (...names: string[]) => fc.constantFrom(...names).map((name) => parseType(name) as ColumnType);
const columns = fc
  .record({
    name: fc.option(type('text', 'text', 'jsonb')),
    pages: fc.option(type('integer', 'numeric(4,1)', 'text')),
    keepsRecord: fc.boolean(),
  })
  .map(({ name, pages, keepsRecord }): ColumnSettings => {
    const list: Column[] = [
      ...(name === null ? [] : [{ name: 'name', type: name }]),
      ...(pages === null ? [] : [{ name: 'pages', type: pages }]),
    ];
    return { list, keepsRecord: keepsRecord || list.length === 0, mayDrop: MAY_DROP };
  });
const step: fc.Arbitrary<Step> = fc.record({
  action: fc.constantFrom<Action>('sync', 'sync', 'sync', 'delta', 'delete', 'rollback'),
  // The first one always exists: a source without records is refused.
  records: fc.tuple(fields, ...Array.from({ length: 5 }, () => fc.option(fields, { freq: 4 }))),
  columns: fc.option(columns, { freq: 2 }),
});

it('the live columns equal the model after any history of lists, records and jobs', async () => {
  const seen = { ok: 0, refused: 0, undone: 0, walls: 0, rejected: 0, migrated: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: CASES, maxLength: CASES }), async (steps) => {
      await using database = await createDatabase({ migrated: false });
      const client = new Client({ connectionString: database.url, query_timeout: 30_000 });
      await client.connect();
      try {
        let state: State = { columns: null, live: new Map(), undone: null };
        for (const [nth, one] of steps.entries()) {
          const wanted = one.columns ?? state.columns ?? { list: [], keepsRecord: true, mayDrop: MAY_DROP };
          const action = state.columns === null || state.live.size === 0 ? 'sync' : one.action;
          if (action === 'rollback' && state.undone === null) continue;
          const source = Object.assign(memorySource(recordsOf(one, nth)), { lists: 'everything' as const });
          const of = { url: database.url, action, job: nth + 1, source, force: true, maxRejected: 10 };
          const end = await attempt({ ...of, columns: wanted });
          const owed = owedBy(state, { action, wanted, records: source.records });
          const where = `step ${nth}: ${action} ${JSON.stringify(wanted)} ended with ${end.message}`;
          expect(end.code, where).toBe(owed.code);
          expect(await liveNow(client), where).toEqual(plain(owed.state.live));
          count(seen, action, owed, state);
          state = owed.state;
        }
      } finally {
        await client.end();
      }
    }),
    { numRuns: SEQUENCES, endOnFailure: true },
  );
  for (const [kind, many] of Object.entries(seen)) expect(many, kind).toBeGreaterThan(0);
}, 300_000);

function recordsOf({ records }: Step, nth: number): SourceRecord[] {
  return records.flatMap((record, place) =>
    record === null ? [] : [{ id: `k${place}`, updated_at: `2025-01-01T00:00:0${nth % 10}.000Z`, record }],
  );
}

type Owed = { readonly code: string; readonly state: State; readonly rejected: number };

function owedBy(
  state: State,
  of: { action: Action; wanted: ColumnSettings; records: readonly SourceRecord[] },
): Owed {
  const { action, wanted, records } = of;
  const refused = (code: string): Owed => ({ code, state, rejected: 0 });
  if (action !== 'sync' && !isSame(state.columns, wanted)) return refused('failed');
  const fit = new Map(records.filter(({ record }) => fits(wanted, record)).map((one) => [one.id, one]));
  const rejected = records.length - fit.size;
  const listed = new Set(records.map(({ id }) => id));
  const before = state.live;
  switch (action) {
    case 'rollback':
      return undoing(state, wanted);
    case 'delete': {
      const live = new Map([...before].filter(([id]) => listed.has(id)));
      return { code: 'ok', state: { columns: wanted, live, undone: null }, rejected: 0 };
    }
    case 'delta': {
      const live = new Map([...before, ...written(fit, wanted)]);
      return { code: 'ok', state: { columns: wanted, live, undone: null }, rejected };
    }
    case 'sync': {
      const middle = migrated(state, wanted, fit);
      const live = new Map([...[...middle].filter(([id]) => listed.has(id)), ...written(fit, wanted)]);
      const ids = new Set([...middle.keys(), ...live.keys()]);
      const changed = new Set([...ids].filter((id) => text(middle.get(id)) !== text(live.get(id))));
      const isWall =
        before.size === 0 ||
        (!isSame(state.columns, wanted) && !(state.columns?.keepsRecord && wanted.keepsRecord));
      return {
        code: 'ok',
        state: { columns: wanted, live, undone: isWall ? 'wall' : { before: middle, changed } },
        rejected,
      };
    }
  }
}

function undoing(state: State, wanted: ColumnSettings): Owed {
  const { undone, live } = state;
  const refused: Owed = { code: 'nothingToRollBack', state: { ...state, undone: null }, rejected: 0 };
  if (undone === null || undone === 'wall') return refused;
  const rows = new Map(live);
  for (const id of undone.changed) {
    const was = undone.before.get(id);
    if (was === undefined) rows.delete(id);
    else if (was.record === null) rows.set(id, was);
    else if (fits(wanted, was.record)) rows.set(id, { ...was, values: valuesOf(wanted, was.record) });
    else return refused;
  }
  return { code: 'ok', state: { columns: wanted, live: rows, undone: null }, rejected: 0 };
}

/** The rows as a sync fills new columns, before it changes records. */
function migrated(
  { columns: old, live }: State,
  wanted: ColumnSettings,
  fit: ReadonlyMap<string, SourceRecord>,
): Live {
  return new Map(
    [...live].map(([id, row]) => {
      const values = wanted.list.map((column) => {
        const isOld = old?.list.some((one) => one.name === column.name && sameType(one, column)) ?? false;
        if (isOld) return [column.name, row.values[column.name] ?? null];
        const from = row.record ?? fit.get(id)?.record ?? {};
        const value = from[column.name] ?? null;
        return [column.name, unfitFor(column.type, value) === null ? value : null];
      });
      const record = wanted.keepsRecord ? (row.record ?? fit.get(id)?.record ?? row.values) : null;
      return [id, { at: row.at, record, values: Object.fromEntries(values) as Fields }];
    }),
  );
}

function written(fit: ReadonlyMap<string, SourceRecord>, wanted: ColumnSettings): [string, Row][] {
  return [...fit].map(([id, { updated_at: at, record }]) => [
    id,
    { at, record: wanted.keepsRecord ? record : null, values: valuesOf(wanted, record) },
  ]);
}

function valuesOf({ list }: ColumnSettings, record: Fields): Fields {
  return Object.fromEntries(list.map(({ name }) => [name, record[name] ?? null]));
}

function fits({ list }: ColumnSettings, record: Fields): boolean {
  return list.every(({ name, type: of }) => unfitFor(of, record[name]) === null);
}

function sameType(a: Column, b: Column): boolean {
  return sqlName(a.type) === sqlName(b.type);
}

function isSame(a: ColumnSettings | null, b: ColumnSettings): boolean {
  const key = (of: ColumnSettings): string =>
    JSON.stringify([
      of.keepsRecord,
      of.list.map(({ name, type: one }) => `${name} ${sqlName(one)}`).toSorted(),
    ]);
  return a !== null && key(a) === key(b);
}

function text(row: Row | undefined): string {
  return row === undefined
    ? ''
    : JSON.stringify([row.at, row.record && inOrder(row.record), inOrder(row.values)]);
}

function inOrder(of: Fields): [string, unknown][] {
  return Object.entries(of).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function plain(live: Live): Record<string, unknown> {
  return Object.fromEntries(
    [...live].map(([id, { at, record, values }]) => [
      id,
      { ...values, updated_at: at, ...(record === null ? {} : { record }) },
    ]),
  );
}

async function liveNow(client: Client): Promise<Record<string, unknown>> {
  const { rows } = await client.query<{ id: string; at: Date; row: object }>(
    `SELECT id, updated_at AS at, to_jsonb(c) - 'id' AS row FROM cities c`,
  );
  return Object.fromEntries(rows.map(({ id, at, row }) => [id, { ...row, updated_at: at.toISOString() }]));
}

function count(
  seen: { ok: number; refused: number; undone: number; walls: number; rejected: number; migrated: number },
  action: Action,
  { code, rejected, state }: Owed,
  before: State,
): void {
  if (code === 'ok') seen.ok += 1;
  if (code === 'failed') seen.refused += 1;
  if (code === 'nothingToRollBack') seen.walls += 1;
  if (code === 'ok' && action === 'rollback') seen.undone += 1;
  if (rejected > 0) seen.rejected += 1;
  if (before.columns && state.columns && !isSame(before.columns, state.columns)) seen.migrated += 1;
}
