/**
 * Two readers of the live table: one reads records by key again and again and never waits for a lock (the server
 * itself checks that, whatever the machine's speed); the other holds a transaction open throughout.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { Client, DatabaseError } from 'pg';
import { difference, readRows, type Rows, same } from '../../job/support/live-rows.ts';

const PAUSE_MS = 15;
const LOCK_NOT_AVAILABLE = '55P03';

export type Seen = {
  readonly reads: number;
  /** Milliseconds of one read by key: from the live table, and from another one. */
  readonly longest: number;
  readonly longestBaseline: number;
  readonly violations: readonly string[];
};

export type Watch = {
  /** The violations so far. */
  readonly violations: readonly string[];
  stop(): Promise<Seen>;
};

/** @param owed the states that a reader may see, never a mix of two; none: any */
export async function watchTable(url: string, owed: () => readonly Rows[]): Promise<Watch> {
  const poller = await open(url, 'poller');
  const holder = await open(url, 'holder');
  // A lock that blocks a reader makes this read fail.
  await poller.query(`SET lock_timeout = '1ms'`);
  await holder.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  const held = await readRows(holder);
  const ids = [...held.keys()];
  const violations: string[] = [];
  let [reads, longest, longestBaseline, stopped] = [0, 0, 0, false];

  async function time(table: 'cities' | 'baseline'): Promise<number> {
    const began = performance.now();
    await poller.query(`SELECT record FROM ${table} WHERE id = $1`, [ids[reads % ids.length]]);
    return performance.now() - began;
  }

  async function poll(): Promise<void> {
    while (!stopped) {
      try {
        longest = Math.max(longest, await time('cities'));
        longestBaseline = Math.max(longestBaseline, await time('baseline'));
        const rows = await readRows(poller);
        const [first] = owed();
        if (first && !owed().some((one) => same(one, rows)))
          violations.push(`a reader saw a state that never existed: ${difference(rows, first)}`);
      } catch (error) {
        if (!(error instanceof DatabaseError) || error.code !== LOCK_NOT_AVAILABLE) throw error;
        violations.push('a reader waited for a lock on the live table');
      }
      reads += 1;
      await wait(PAUSE_MS);
    }
  }

  const polled = poll().catch((error: unknown) => {
    violations.push(`a reader failed: ${String(error)}`);
  });
  return {
    violations,
    async stop() {
      stopped = true;
      await polled;
      if (!same(await readRows(holder), held))
        violations.push('a transaction that stayed open saw another state');
      await holder.query('COMMIT');
      await Promise.all([poller.end(), holder.end()]);
      return { reads, longest, longestBaseline, violations };
    },
  };
}

async function open(url: string, name: string): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: name, query_timeout: 120_000 });
  await client.connect();
  return client;
}
