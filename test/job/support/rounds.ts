/** Rounds of one action on one table: the source changes, then a job runs and may be cut; its result is predicted. */

import { Client } from 'pg';
import type { SourceRecord } from '../../../src/job/sources/source.ts';
import { createDatabase } from '../../support/database.ts';
import { type Action, attempt, type Attempt } from './attempt.ts';
import { named, readRows, type Rows, rowsOf } from './live-rows.ts';
import { memorySource, type MemorySource } from './memory-source.ts';
import { type Cut, startStatementProxy } from './statement-proxy.ts';

export type Round = { readonly of: Attempt; readonly before: Rows; readonly after: Rows };

/** Creates a table with some records and a source that changes each round. */
export async function stage(action: Action | 'remove') {
  const database = await createDatabase({ migrated: false });
  const client = new Client({ connectionString: database.url, query_timeout: 30_000 });
  await client.connect();
  const { url } = database;
  // Each round removes one.
  const size = action === 'delete' ? 100 : 12;
  const source = memorySource(Array.from({ length: size }, (_, nth) => named(`r${100 + nth}`, 'first')));
  const all = source.records;
  const batchSize = Math.ceil(size / 2);
  let job = 10;
  await attempt({ url, action: 'sync', job, source });

  /** Half of the records are lost, and three are approved, of which the source has one again. */
  async function prepareRemoval(): Promise<Round> {
    job += 10;
    source.answers.clear();
    source.put(all);
    await attempt({ url, action: 'sync', job: job - 2, source });
    source.put(all.slice(6));
    await attempt({ url, action: 'sync', job: job - 1, source });
    const before = await readRows(client);
    const approved = all.slice(2, 5).map(({ id }) => id);
    const [again = '', ...gone] = approved;
    source.answers.add(again);
    const of: Attempt = { url, action, job, source, approved, batchSize: 2 };
    return { of, before, after: new Map([...before].filter(([id]) => !gone.includes(id))) };
  }

  return {
    source,
    rows: () => readRows(client),

    /**
     * Changes the source; for a rollback, a sync then applies the changes to undo; for a removal, a sync holds what the
     * source has lost.
     */
    async prepare(): Promise<Round> {
      if (action === 'remove') return await prepareRemoval();
      const before = await readRows(client);
      const changed = change(source, job);
      job += 10;
      const of: Attempt = { url, action, job, source, batchSize };
      if (action === 'sync') return { of, before, after: rowsOf(source.records) };
      if (action === 'delta') return { of, before, after: new Map([...before, ...rowsOf(changed)]) };
      if (action === 'delete') {
        const ids = new Set(source.records.map(({ id }) => id));
        return { of, before, after: new Map([...before].filter(([id]) => ids.has(id))) };
      }
      await attempt({ url, action: 'sync', job, source, force: true });
      return { of: { ...of, job: job + 1, before: job }, before: await readRows(client), after: before };
    },

    async attemptCut(round: Round, cut: Cut) {
      await using proxy = await startStatementProxy({ url, cut });
      const patienceMs = cut.ends === 'connection' ? 10_000 : 0;
      const end = await attempt({ ...round.of, url: proxy.url, patienceMs });
      const where = `${cut.when} statement ${cut.at}: ${proxy.statements[cut.at - 1]}`;
      return { ...end, cut: proxy.cut, where, statements: proxy.statements };
    },

    /** The counts of the job and the rows of the table. */
    async counts({ of, before, after }: Round): Promise<{ told: unknown; owed: unknown }> {
      const { rows } = await client.query<{ added: number; updated: number; removed: number }>(
        `SELECT (counts->>'added')::int AS added, (counts->>'updated')::int AS updated, (counts->>'removed')::int AS removed
         FROM syncrator.change_sets WHERE job_id = $1`,
        [of.job],
      );
      const shared = [...before].filter(([id]) => after.has(id));
      const owed = {
        added: after.size - shared.length,
        updated: shared.filter(([id, text]) => after.get(id) !== text).length,
        removed: before.size - shared.length,
      };
      return { told: rows[0], owed };
    },

    /** Leftover open sets and staging tables after a successful last round. */
    async leftovers(): Promise<unknown[]> {
      const { rows } = await client.query<{ what: string }>(
        `SELECT state AS what FROM syncrator.change_sets WHERE state = 'open'
         UNION ALL SELECT relname FROM pg_class WHERE relname LIKE 'staging%' AND relkind = 'r'
         UNION ALL SELECT 'load' FROM syncrator.loads`,
      );
      return rows;
    },

    async [Symbol.asyncDispose]() {
      await client.end();
      await database.drop();
    },
  };
}

/** Adds one record, removes one, changes one. @returns the records that a delta finds */
function change(source: MemorySource, job: number): SourceRecord[] {
  const at = new Date().toISOString();
  const [, second] = source.records;
  const changed = [named(`r${1000 + job}`, `added before job ${job}`, at)];
  if (second) changed.push(named(second.id, `changed before job ${job}`, at));
  source.put([...source.records.slice(2), ...changed]);
  return changed;
}
