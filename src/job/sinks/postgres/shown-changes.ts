/** The changes of a plan that people are shown: written beside the load, then read page by page in short transactions. */
import type { PoolClient } from 'pg';
import { MOST_RECORD_BYTES } from '../held-records.ts';
import { MOST_PLAN_RECORDS, PLAN_KINDS, type PlanKind } from '../../../domain/change-plan.ts';
import { type PlannedChange, sharesOf } from '../plans.ts';
import { READ_COMMITTED } from './connect.ts';
import { createParameters } from './parameters.ts';
import type { PlannedRows } from './planned-rows.ts';
import { inStateTransaction, type Session } from './session.ts';

/** Bounds the memory for records of the largest size. */
const ROWS_AT_ONCE = 200;

/** @param table quoted name of the table to create */
export async function writeShown(
  client: PoolClient,
  table: string,
  { planned, counts }: { planned: PlannedRows; counts: Readonly<Record<PlanKind, number>> },
): Promise<void> {
  const shares = sharesOf(counts, MOST_PLAN_RECORDS);
  const { bind, values } = createParameters();
  const kinds = `${bind(PLAN_KINDS)}::text[]`;
  const most = `${bind(PLAN_KINDS.map((kind) => shares[kind]))}::int[]`;
  await client.query(
    `CREATE UNLOGGED TABLE ${table} AS
     WITH numbered AS (
       SELECT kind, id, array_position(${kinds}, kind) AS place, row_number() OVER (PARTITION BY kind ORDER BY id COLLATE "C") AS nth
       FROM (${planned.ids(bind)}) i),
     chosen AS (
       SELECT id, row_number() OVER (ORDER BY place, nth)::int AS nr FROM numbered WHERE nth <= (${most})[place])
     SELECT nr, p.id, p.kind, ${shown('old')} AS before, ${shown('new')} AS after
     FROM chosen JOIN (${planned.rows(bind)}) p ON p.id = chosen.id`,
    values,
  );
  await client.query(`ALTER TABLE ${table} ADD PRIMARY KEY (nr)`);
}

/** A record without a time of its own gets that of its row: a change of the time alone shows too. */
function shown(side: 'old' | 'new'): string {
  const time = `to_char(p.${side}_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
  const json = `(jsonb_build_object('updated_at', ${time}) || p.${side}_record)::text`;
  return `CASE WHEN jsonb_typeof(p.${side}_record) = 'object' AND octet_length(${json}) <= ${MOST_RECORD_BYTES} THEN ${json} END`;
}

type Row = PlannedChange & { readonly nr: number };

export async function* readShown(session: Session, table: string): AsyncGenerator<readonly PlannedChange[]> {
  for (let after = 0; ; ) {
    const rows: Row[] = await inStateTransaction(
      session,
      async (client) =>
        (
          await client.query<Row>(
            `SELECT nr, id, kind, before, after FROM ${table} WHERE nr > $1 ORDER BY nr LIMIT ${ROWS_AT_ONCE}`,
            [after],
          )
        ).rows,
      `${READ_COMMITTED}; SET TRANSACTION READ ONLY`,
    );
    if (rows.length > 0) yield rows;
    if (rows.length < ROWS_AT_ONCE) return;
    after = rows.at(-1)?.nr ?? after;
  }
}
