/** Over random histories: a plan and its apply end as the action itself, and the plan tells each change. */

import fc from 'fast-check';
import { Client } from 'pg';
import { expect, it } from 'vitest';
import type { Plannable } from '../../../src/domain/action.ts';
import type { PlanSummary } from '../../../src/job/sinks/plans.ts';
import { createDatabase } from '../../support/database.ts';
import { attempt, type Attempt } from '../support/attempt.ts';
import {
  BESIDE_RECORD,
  type Form,
  IN_RECORD,
  named,
  readRows,
  type Rows,
  WITHOUT_RECORD,
} from '../support/live-rows.ts';
import { memorySource } from '../support/memory-source.ts';

type Chapter = {
  readonly action: Plannable;
  readonly force: boolean;
  readonly complete: boolean;
  /** Names by the number of the record; null: the source loses it. */
  readonly changes: readonly (readonly [number, string | null])[];
};

const chapter: fc.Arbitrary<Chapter> = fc.record({
  action: fc.constantFrom('sync', 'sync', 'delta', 'delete'),
  force: fc.nat(4).map((nth) => nth === 0),
  complete: fc.nat(5).map((nth) => nth > 0),
  changes: fc.array(fc.tuple(fc.nat(19), fc.option(fc.constantFrom('a', 'b', 'c'), { nil: null })), {
    maxLength: 12,
  }),
});

it.each([
  ['in the column record', IN_RECORD],
  ['in columns beside the record', BESIDE_RECORD],
  ['in columns instead of the record', WITHOUT_RECORD],
] as const)('a plan that is applied ends as the action itself, %s', { timeout: 180_000 }, async (_, form) => {
  let changed = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(chapter, { minLength: 3, maxLength: 8 }), async (chapters) => {
      await using plain = await table(form);
      await using planned = await table(form);
      const source = memorySource(Array.from({ length: 20 }, (_, nth) => named(`r${nth}`, 'first')));
      const begin = { action: 'sync', job: 1, source, columns: form.columns } as const;
      await attempt({ ...begin, url: plain.url });
      await attempt({ ...begin, url: planned.url });
      let job = 1;
      for (const { action, force, complete, changes } of chapters) {
        job += 10;
        source.complete = complete;
        for (const [nth, name] of changes) {
          const id = `r${nth}`;
          const others = source.records.filter((record) => record.id !== id);
          source.put(name === null ? others : [...others, named(id, name, new Date().toISOString())]);
        }
        const of = { action, job, source, force, columns: form.columns };
        const before = await planned.rows();
        const direct = await attempt({ ...of, url: plain.url });
        const { plan, code } = await planAndApply({ ...of, url: planned.url }, () => planned.rows(), before);
        expect(code).toBe(direct.code);
        expect(await planned.state()).toEqual(await plain.state());
        if (plan) expect(countsBetween(before, await planned.rows())).toEqual(countsOf(plan));
        if (plan && plan.added + plan.updated + plan.removed > 0) changed += 1;
      }
    }),
    { numRuns: 6, endOnFailure: true },
  );
  expect(changed, 'plans that change something').toBeGreaterThan(0);
});

async function planAndApply(of: Attempt, rows: () => Promise<Rows>, before: Rows) {
  let plan: PlanSummary | undefined;
  const { code } = await attempt({ ...of, plans: true, planned: (made) => (plan = made) });
  expect(await rows(), 'a plan changes nothing').toEqual(before);
  if (!plan) return { plan, code };
  return { plan, code: (await attempt({ ...of, job: of.job + 1, applies: plan })).code };
}

async function table(form: Form) {
  const database = await createDatabase({ migrated: false });
  const client = new Client({ connectionString: database.url });
  await client.connect();
  return {
    url: database.url,
    rows: () => readRows(client, form),
    /** Rows, what is kept, and what the history can undo. */
    async state() {
      const kept = await client.query('SELECT id, reason FROM syncrator.kept ORDER BY id');
      const changes = await client.query(
        `SELECT s.action, c.id, kind, old_record FROM syncrator.changes c JOIN syncrator.change_sets s ON s.id = change_set ORDER BY s.id, c.id`,
      );
      const sets = await client.query(
        `SELECT action, counts FROM syncrator.change_sets WHERE state = 'applied' ORDER BY id`,
      );
      const sinks = await client.query('SELECT synced, proven FROM syncrator.sinks');
      const { rows } = sinks;
      return {
        live: await readRows(client, form),
        kept: kept.rows,
        changes: changes.rows,
        sets: sets.rows.map(withoutTimes),
        sinks: rows,
      };
    },
    async [Symbol.asyncDispose]() {
      await client.end();
      await database.drop();
    },
  };
}

/** How far a change lies behind the watermark, and how long reading took, depends on the clock. */
function withoutTimes({ action, counts }: { action: string; counts: Record<string, unknown> }): unknown {
  const { missed: _, seconds: __, ...rest } = counts;
  return { action, ...rest };
}

function countsOf({ added, updated, removed }: PlanSummary): unknown {
  return { added, updated, removed };
}

function countsBetween(before: Rows, after: Rows): unknown {
  const shared = [...before].filter(([id]) => after.has(id));
  return {
    added: after.size - shared.length,
    updated: shared.filter(([id, text]) => after.get(id) !== text).length,
    removed: before.size - shared.length,
  };
}
