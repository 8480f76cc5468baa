/**
 * P1 to P3 over generated cases: a live table that our jobs have made, any next state of the source, with or
 * without evidence, with bad records, with ids that answer, under any limits, by any action, and with any answer to
 * what waits.
 */
import fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EXIT } from '../../../../src/domain/exit-code.ts';
import type { ActionContext, Progress } from '../../../../src/job/actions/action.ts';
import { deleteGone } from '../../../../src/job/actions/delete.ts';
import { delta } from '../../../../src/job/actions/delta.ts';
import { remove } from '../../../../src/job/actions/remove.ts';
import { sync } from '../../../../src/job/actions/sync.ts';
import { JobError } from '../../../../src/job/job-error.ts';
import { createPostgresSink } from '../../../../src/job/sinks/postgres/postgres-sink.ts';
import { newRun } from '../../../../src/job/sinks/writer.ts';
import type { RejectedRecord, SourceRecord } from '../../../../src/job/sources/source.ts';
import {
  type Expected,
  expectedOf,
  type Fate,
  type Live,
  type Mode,
  type State,
  unchanged,
} from '../../../faults/lying-source/model.ts';
import { createDatabase, type TestDatabase } from '../../../support/database.ts';
import { memorySource } from '../../support/memory-source.ts';

const SEQUENCES = 67;
/** Each is a case of its own, on the table that the earlier ones left. */
const CASES = 10;
const OLD = '2020-01-01T00:00:01.000Z';
/** So young that a delta always sees it. */
const NOW = new Date().toISOString();
const MANY = 320;
const batchOf = ({ next }: Case): number => (next.length === MANY ? 100 : 3);

type Action = 'sync' | 'delta' | 'delete' | 'diff delete' | 'remove';
type Case = {
  readonly action: Action;
  /** Per place, a record of the source: its value, and whether it was just written; null: no record. */
  readonly next: readonly ({ readonly value: number; readonly isRecent: boolean } | null)[];
  readonly isComplete: boolean;
  /** Places that answer when requested by id, listed or not. */
  readonly answers: readonly number[];
  /** Places with a bad record; null: a record without an id. */
  readonly bad: readonly (number | null)[];
  readonly maxRejected: number;
  readonly breaksAfter: number;
  readonly limits: {
    readonly maxDeletePercent: number;
    readonly maxDeleteRecords: number;
    readonly maxUpdatePercent: number | null;
  };
  readonly force: boolean;
  /** Places that an approval names, held or not. */
  readonly approved: readonly number[];
};

/** The likelihoods; a property looks more often where it may break. */
type Bias = {
  readonly complete: number;
  readonly breaks: number;
  readonly bad: number;
  readonly answers: number;
};

const often = (likely: number): fc.Arbitrary<boolean> =>
  fc.integer({ min: 0, max: 99 }).map((drawn) => drawn < likely);

function someCase(size: number, bias: Bias): fc.Arbitrary<Case> {
  const place = fc.nat(size - 1);
  const inSource = fc.option(fc.record({ value: fc.nat(3), isRecent: fc.boolean() }), {
    freq: size > 20 ? 30 : 5,
  });
  const sometimes = <T>(likely: number, some: fc.Arbitrary<T>, otherwise: T): fc.Arbitrary<T> =>
    often(likely).chain((is) => (is ? some : fc.constant(otherwise)));
  return fc.record({
    action: fc.constantFrom<Action>('sync', 'sync', 'delta', 'delete', 'diff delete', 'remove'),
    next: fc.array(inSource, { minLength: size, maxLength: size }),
    isComplete: often(bias.complete),
    answers: sometimes(bias.answers, fc.uniqueArray(place, { minLength: 1, maxLength: size }), []),
    bad: sometimes(
      bias.bad,
      fc.uniqueArray(fc.option(place, { freq: 2 }), { minLength: 1, maxLength: 3 }),
      [],
    ),
    maxRejected: fc.constantFrom(0, 1, 5),
    breaksAfter: sometimes(bias.breaks, fc.integer({ min: 0, max: size }), Infinity),
    limits: fc.record({
      maxDeletePercent: fc.constantFrom(0, 10, 50, 100),
      maxDeleteRecords: fc.constantFrom(0, 1, 5),
      maxUpdatePercent: fc.constantFrom(null, null, 50),
    }),
    force: often(15),
    approved: sometimes(
      50,
      fc.uniqueArray(place, { maxLength: size }),
      Array.from({ length: size }, (_, nth) => nth),
    ),
  });
}

const walk = (
  bias: Bias,
): fc.Arbitrary<{ readonly lists: 'changes' | 'everything'; readonly cases: readonly Case[] }> =>
  // Few records meet each other often; many make one in a hundred distinguishable from more.
  fc.constantFrom(6, 6, 9, 9, 9, 9, 9, 9, MANY).chain((size) =>
    fc.record({
      lists: fc.constantFrom<'changes' | 'everything'>('changes', 'changes', 'everything'),
      cases: fc.array(someCase(size, bias), { minLength: CASES, maxLength: CASES }),
    }),
  );

let database: TestDatabase;
let client: Client;
beforeAll(async () => {
  database = await createDatabase({ migrated: false });
  client = new Client({ connectionString: database.url, query_timeout: 30_000 });
  await client.connect();
  await client.query(
    'CREATE TABLE live (id text PRIMARY KEY, updated_at timestamptz NOT NULL, record jsonb NOT NULL)',
  );
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

describe('for any behaviour of the source', () => {
  const seen = { completed: 0, refused: 0, removed: 0, kept: 0, held: 0, approved: 0 };

  it.each<[string, Bias]>([
    [
      'after a completed job the live rows equal the source, except for reported differences (P1)',
      { complete: 80, breaks: 3, bad: 35, answers: 15 },
    ],
    ['any other end leaves the live rows unchanged (P2)', { complete: 60, breaks: 25, bad: 40, answers: 20 }],
    [
      'no record is removed without evidence and a verdict (P3)',
      { complete: 40, breaks: 5, bad: 20, answers: 50 },
    ],
  ])('%s', { timeout: 300_000 }, async (_, bias) => {
    await fc.assert(
      fc.asyncProperty(walk(bias), async ({ lists, cases }) => {
        await clear();
        let state: State = { live: new Map(), proven: false, held: new Set() };
        for (const some of cases) {
          state = await check(some, lists, state);
          const isAnswered = state.held.size > 0 && some.maxRejected < 5;
          if (isAnswered) state = await check({ ...some, action: 'remove' }, lists, state);
        }
      }),
      { numRuns: SEQUENCES, endOnFailure: true },
    );
  });

  it('the generated cases cover every kind', () => {
    // Most of what is held is listed again before it is approved.
    const { approved, ...others } = seen;
    expect(approved, 'approved').toBeGreaterThan(0);
    for (const [kind, count] of Object.entries(others)) expect(count, kind).toBeGreaterThan(0);
  });

  async function check(some: Case, lists: 'changes' | 'everything', state: State): Promise<State> {
    const expected = expectation(some, lists, state);
    const before = await liveNow();
    expect(before).toEqual(plain(state.live));
    const { end, told } = await run(some, lists);
    const after = await liveNow();
    expect(expected.exits, `ended ${end}`).toContain(end);
    if (end !== 'ok') {
      seen.refused += 1;
      expect(after).toEqual(before);
      return state;
    }
    seen.completed += 1;
    expect(after).toEqual(plain(expected.live));
    const removed = Object.keys(before).filter((id) => !(id in after));
    expectRight(some, removed, { before, held: state.held });
    if (some.action === 'remove') seen.approved += removed.length;
    else seen.removed += removed.length;
    seen.kept += told.kept ?? 0;
    seen.held += told.held ?? 0;
    expect(await heldNow()).toEqual([...expected.held].toSorted());
    const bad = some.action === 'remove' ? [] : some.bad;
    expect(told).toMatchObject({
      added: Object.keys(after).filter((id) => !(id in before)).length,
      updated: Object.keys(after).filter((id) => id in before && before[id] !== after[id]).length,
      deleted: removed.length,
      kept: expected.kept,
      failed: bad.length,
    });
    expect(told.held ?? 0).toBe(expected.toldHeld);
    expect(told.failed_items?.map(({ why }) => why) ?? []).toEqual(bad.map(() => 'a line: it is bad'));
    return expected;
  }
});

/** P3 as stated, apart from the model. */
function expectRight(
  some: Case,
  removed: readonly string[],
  { before, held }: { before: object; held: ReadonlySet<string> },
): void {
  if (removed.length === 0) return;
  const { limits, force, isComplete, bad, answers, action, next, approved } = some;
  expect(action).not.toBe('delta');
  if (action === 'remove') {
    const named = new Set(approved.map(idOf));
    expect(removed.filter((id) => !named.has(id) || !held.has(id))).toEqual([]);
    expect(removed.filter((id) => answers.includes(Number(id.slice(1))))).toEqual([]);
    return;
  }
  expect(isComplete).toBe(true);
  if (!force) expect(removed.filter((id) => held.has(id))).toEqual([]);
  expect(bad).not.toContain(null);
  expect(removed.filter((id) => answers.includes(Number(id.slice(1))))).toEqual([]);
  expect(removed.filter((id) => next[Number(id.slice(1))])).toEqual([]);
  expect(next.some((record) => record !== null) || bad.length > 0).toBe(true);
  const allowed = Math.max(
    limits.maxDeleteRecords,
    (Object.keys(before).length * limits.maxDeletePercent) / 100,
  );
  if (!force) expect(removed.length).toBeLessThanOrEqual(limits.maxDeletePercent === 0 ? 0 : allowed);
}

function expectation(some: Case, lists: 'changes' | 'everything', state: State): Expected {
  if (some.action === 'remove') return afterRemoval(some, state);
  const mode = modeOf(some.action);
  if (mode !== 'everything' && state.live.size === 0) return unchanged(state, 'failed');
  const { records, rejected } = tellingOf(some);
  const listed =
    mode === 'changes' && lists === 'changes' ? records.filter(({ updated_at: at }) => at !== OLD) : records;
  // The run ends between two batches.
  const breaks =
    Math.ceil(some.breaksAfter / batchOf(some)) * batchOf(some) <
    Math.max(listed.length, rejected.length > 0 ? 1 : 0);
  const tooBad = rejected.length > some.maxRejected;
  if (breaks) return unchanged(state, 'sourceUnreachable', 'recordsRejected');
  if (tooBad) return unchanged(state, 'recordsRejected');
  const isProof = some.isComplete && rejected.every(({ id }) => id !== null);
  const fate: Fate = { kind: isProof || mode === 'changes' ? 'read' : 'unproven' };
  const told = {
    fate,
    rows: listed.map(({ id, updated_at, record }) => ({ id, updated_at, json: JSON.stringify(record) })),
    setAside: rejected.flatMap(({ id }) => (id === null ? [] : [id])),
    answering: new Set(some.answers.map(idOf)),
  };
  return expectedOf({ mode, partOfDiff: some.action === 'diff delete' }, state, told, {
    ...some.limits,
    force: some.force,
    holds: true,
  });
}

/** What is held and approved goes; what answers waits no longer. */
function afterRemoval(some: Case, state: State): Expected {
  if (some.approved.length > 0 && tellingOf(some).records.length === 0)
    return unchanged(state, 'deleteGuard');
  const named = new Set(some.approved.map(idOf));
  const answering = new Set(some.answers.map(idOf));
  const settled = [...state.held].filter((id) => named.has(id));
  const live = new Map(state.live);
  for (const id of settled) if (!answering.has(id)) live.delete(id);
  const held = new Set([...state.held].filter((id) => !named.has(id)));
  const counts = { kept: held.size, toldHeld: held.size };
  return { live, proven: state.proven, held, verdict: 'applied', exits: ['ok'], ...counts };
}

async function run(
  some: Case,
  lists: 'changes' | 'everything',
): Promise<{ end: keyof typeof EXIT; told: Progress }> {
  const { action, isComplete, answers, breaksAfter, force, limits, maxRejected } = some;
  const { records, rejected } = tellingOf(some);
  const source = Object.assign(memorySource(records), {
    lists,
    rejected,
    complete: isComplete,
    breaksAfter,
    answers: new Set(answers.map(idOf)),
  });
  let told: Progress = {};
  const stop = new AbortController().signal;
  const sink = createPostgresSink({
    settings: {
      kind: 'postgres',
      url: database.url,
      schema: null,
      table: 'live',
      stateSchema: 'syncrator',
      acceptAllTables: false,
      allowCascade: false,
      keepChangesMs: 3_600_000,
      keepChangesBytes: null,
    },
    concurrency: 1,
    writer: {
      installation: null,
      env: null,
      target: null,
      jobId: null,
      jobUid: null,
      originUid: null,
      step: 0,
      attempt: 1,
      action: action === 'diff delete' ? 'delete' : action,
      run: newRun(),
    },
    stop,
    onWait: () => {},
    log: () => {},
    patienceMs: 1_000,
    leastBatch: 1,
  });
  const context: ActionContext = {
    source,
    sink,
    options: { batchSize: batchOf(some), concurrency: 1, forceDelete: force, acceptJump: false },
    limits: { ...limits, maxRejected, baseline: 'off' },
    watermarkMarginMs: 3_600_000,
    checkpoint: null,
    partOfDiff: action === 'diff delete',
    progress: (news) => (told = { ...told, ...news }),
    log: { info: () => {}, debug: () => {} },
    stop,
  };
  try {
    await sink.open();
    if (action === 'remove') await remove({ ...context, approved: pageOf(some.approved.map(idOf)) });
    else await { everything: sync, changes: delta, ids: deleteGone }[modeOf(action)](context);
    return { end: 'ok', told };
  } catch (error) {
    if (error instanceof JobError) return { end: error.code, told };
    throw error;
  } finally {
    await sink.close();
  }
}

function tellingOf({ next, bad }: Case): { records: SourceRecord[]; rejected: RejectedRecord[] } {
  const records = next.flatMap((record, place) => {
    if (record === null || bad.includes(place)) return [];
    return [{ id: idOf(place), updated_at: record.isRecent ? NOW : OLD, record: { value: record.value } }];
  });
  const rejected = bad.map((place) => ({
    where: 'a line',
    id: place === null ? null : idOf(place),
    why: 'it is bad',
  }));
  return { records, rejected };
}

function idOf(place: number): string {
  return `k${String(place).padStart(3, '0')}`;
}

function modeOf(action: Exclude<Action, 'remove'>): Mode {
  return action === 'sync' ? 'everything' : action === 'delta' ? 'changes' : 'ids';
}

function plain(live: Live): Record<string, string> {
  return Object.fromEntries([...live].map(([id, { updated_at: at, json }]) => [id, `${at} ${json}`]));
}

async function* pageOf(ids: readonly string[]): AsyncGenerator<readonly string[]> {
  if (ids.length > 0) yield ids;
}

async function heldNow(): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(`SELECT id FROM syncrator.kept WHERE reason = 'held'`);
  return rows.map(({ id }) => id).toSorted();
}

async function liveNow(): Promise<Record<string, string>> {
  const { rows } = await client.query<{ id: string; at: Date; record: object }>(
    'SELECT id, updated_at AS at, record FROM live',
  );
  return Object.fromEntries(
    rows.map(({ id, at, record }) => [id, `${at.toISOString()} ${JSON.stringify(record)}`]),
  );
}

/** As if no job had ever run here. */
async function clear(): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>(
    `SELECT to_regclass('syncrator.sinks') IS NOT NULL AS there`,
  );
  if (rows[0]?.there)
    await client.query(
      'TRUNCATE syncrator.sinks, syncrator.change_sets, syncrator.changes, syncrator.kept, syncrator.rejected, syncrator.loads',
    );
  await client.query('TRUNCATE live');
}
