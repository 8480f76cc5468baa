/**
 * The plan that a sink keeps: the load that was compared, and how the difference was judged. Whatever closes a change set
 * drops it. The table is UNLOGGED like the load: a crash that empties one empties the other.
 */
import type { PoolClient } from 'pg';
import type { Plannable } from '../../../domain/action.ts';
import { PLAN_DAYS } from '../../../domain/change-plan.ts';
import type { PlanSummary } from '../plans.ts';
import type { Judgement, LoadMode } from '../sink.ts';
import type { Places } from './places.ts';
import type { Session } from './session.ts';

/** Advisory lock: concurrent CREATE statements collide in the catalogue. */
const LOCK = 4_711_003;

/** The change set of a plan, which no other has. */
export const NO_CHANGE_SET = '0';

/** What an apply repeats of the plan's decisions. */
export type Frozen = {
  readonly mode: LoadMode;
  readonly began: string;
  /** Records in the listing, without those that are offered again. */
  readonly listed: number;
  /** Records that the table refused earlier and that the load offers again. */
  readonly offered: number;
  readonly judgement: Judgement;
  readonly mayRemove: boolean;
  readonly force: boolean;
  /** Ids that the source still had. */
  readonly answered: readonly string[];
  readonly mayReject: number;
  /** ISO 8601, or `keep`. */
  readonly watermark: string | null;
  readonly sourceState: string | null;
  readonly coarseTimes: boolean;
  readonly stamped: boolean;
  /** Missing in a plan of an earlier version. */
  readonly weigh?: boolean;
  readonly proven: boolean;
};

export type KeptPlan = {
  readonly uid: string;
  /** The run of the program that made it. */
  readonly run: string;
  readonly action: Plannable;
  readonly load: string;
  readonly digest: string;
  readonly revision: string;
  readonly expired: boolean;
  readonly frozen: Frozen;
  readonly summary: Omit<PlanSummary, 'watermark'> & { readonly watermark: string | null };
};

/** Creates the table with the first plan. Older programs do not know it, and drop the load of a plan. */
export async function preparePlans(client: PoolClient, places: Places): Promise<void> {
  if (await isThere(client, places)) return;
  await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
  await client.query(
    `CREATE UNLOGGED TABLE IF NOT EXISTS ${places.plans} (
       sink int PRIMARY KEY, uid uuid NOT NULL, run uuid NOT NULL, action text NOT NULL, load uuid NOT NULL,
       digest text NOT NULL, revision text NOT NULL, born timestamptz NOT NULL DEFAULT now(),
       frozen jsonb NOT NULL, summary jsonb NOT NULL)`,
  );
}

async function isThere(client: PoolClient, { plans }: Places): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>('SELECT to_regclass($1) IS NOT NULL AS there', [
    plans,
  ]);
  return rows[0]?.there === true;
}

/** The plan of the sink; null without one. */
export async function readPlan(
  client: PoolClient,
  { places, sinkId }: Pick<Session, 'places' | 'sinkId'>,
): Promise<KeptPlan | null> {
  if (!(await isThere(client, places))) return null;
  const { rows } = await client.query<KeptPlan>(
    `SELECT *, born < now() - make_interval(days => ${PLAN_DAYS}) AS expired FROM ${places.plans} WHERE sink = $1`,
    [sinkId],
  );
  return rows[0] ?? null;
}

/** Replaces the earlier plan of the sink. */
export async function storePlan(
  client: PoolClient,
  { places, sinkId }: Session,
  plan: Omit<KeptPlan, 'expired'>,
): Promise<void> {
  await client.query(`DELETE FROM ${places.plans} WHERE sink = $1`, [sinkId]);
  await client.query(
    `INSERT INTO ${places.plans} (sink, uid, run, action, load, digest, revision, frozen, summary)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      sinkId,
      plan.uid,
      plan.run,
      plan.action,
      plan.load,
      plan.digest,
      plan.revision,
      JSON.stringify(plan.frozen),
      JSON.stringify(plan.summary),
    ],
  );
}

/** Forgets the plan of the sink that the change set belongs to. */
export async function dropPlan(client: PoolClient, places: Places, changeSet: string): Promise<void> {
  if (!(await isThere(client, places))) return;
  await client.query(
    `DELETE FROM ${places.plans} WHERE sink = (SELECT sink FROM ${places.changeSets} WHERE id = $1)`,
    [changeSet],
  );
}

/** Names the last change that was applied: older programs do not drop the plan. */
export async function revisionOf(
  client: PoolClient,
  { places, sinkId }: Pick<Session, 'places' | 'sinkId'>,
): Promise<string> {
  const { rows } = await client.query<{ revision: string }>(
    `SELECT concat_ws(' ', max(id), extract(epoch FROM max(applied_at))) AS revision
     FROM ${places.changeSets} WHERE sink = $1 AND state = 'applied'`,
    [sinkId],
  );
  return rows[0]?.revision ?? '';
}
