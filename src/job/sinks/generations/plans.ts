/** Makes, shows and applies a plan in sinks with generations: the state keeps what was decided, and a digest of its effect. */
import { type Plannable } from '../../../domain/action.ts';
import { MOST_PLAN_RECORDS, type PlanKind } from '../../../domain/change-plan.ts';
import { MOST_RECORD_BYTES } from '../held-records.ts';
import { type PlannedChange, type PlanSummary, sharesOf } from '../plans.ts';
import type { Applied, AppliedPlan, ApplyPlan, ApplyResult, Load, Plans } from '../sink.ts';
import { DATA_CHANGED, planStale, refuseOtherPlan } from '../stale-plan.ts';
import type { Writer } from '../writer.ts';
import { isExpired } from './expired-plan.ts';
import type { FencedStore } from './fenced-store.ts';
import type { LiveRecord } from './held-records.ts';
import { type Effects, inShownOrder, type Summed, sumUp } from './plan-effect.ts';
import { slices } from './slices.ts';
import type { Planned } from './state-parts.ts';

/** Whole documents may be large. */
const SHOWN_AT_ONCE = 100;

export type GenerationPlans = Plans & {
  /** In place of an apply: decides as that would, and keeps the plan. */
  make(load: Load, plan: ApplyPlan): Promise<ApplyResult>;
};

/** What a plan stores beside its name and digest. */
export type Decided = Omit<Planned, 'uid' | 'action' | 'digest' | 'born' | 'begun' | 'may_reject'>;

/** A plan beside the live data that it was made for. */
export type OpenPlan = {
  /** What an apply would do now. */
  readonly effects: () => Effects;
  /** Live documents. */
  readonly readBefore: ReadRecords;
  /** Their successors, asked for in the order of the effects; of one kind only. */
  readonly readAfter: (kind: PlanKind) => ReadRecords;
  /** Under the fence, and safe to repeat. @returns the counts, and the watermark after it */
  readonly apply: () => Promise<{ readonly applied: Applied; readonly watermark: string | null }>;
};

export type ReadRecords = (ids: readonly string[]) => Promise<readonly LiveRecord[]>;

export type PlanWork<S> = {
  /** The alias, as messages name it. */
  readonly place: string;
  readonly store: FencedStore<S>;
  readonly writer: Writer;
  /** Decides about a load without changing the live data. @returns the ids to ask the source for first, or the decisions */
  readonly decide: (
    load: Load,
    plan: ApplyPlan,
  ) => Promise<
    Extract<ApplyResult, { kind: 'ask' }> | { readonly kind: 'decided'; readonly decided: Decided }
  >;
  /** Deletes what the state no longer names. */
  readonly deleteDropped: () => Promise<void>;
  /** Tidies up once a plan was applied. */
  readonly applied: () => Promise<void>;
  /** @throws JobError `planStale` if the data that it was made for are no longer there */
  readonly open: (planned: Planned) => Promise<OpenPlan>;
};

type Made = { readonly summary: PlanSummary; readonly summed: Summed; readonly plan: OpenPlan };

export function createPlans<S extends { readonly planned: Planned | null }>(
  of: PlanWork<S>,
): GenerationPlans {
  let kept: Made | undefined;
  const made = (): Made => {
    if (!kept) throw new Error('no plan was made yet');
    return kept;
  };
  return {
    async make(load, plan) {
      const found = await of.decide(load, plan);
      if (found.kind === 'ask') return found;
      kept = await keepPlan(of, found.decided, plan);
      return { kind: 'applied', applied: found.decided.applied };
    },
    made: () => made().summary,
    shown: () => readShown(of, made()),
    // What is shown is read from the data themselves.
    async dropShown() {},
    apply: (plan) => applyPlan(of, plan),
  };
}

async function keepPlan<S extends { readonly planned: Planned | null }>(
  { store, writer, open, deleteDropped }: PlanWork<S>,
  decided: Decided,
  { mayReject }: Pick<ApplyPlan, 'mayReject'>,
): Promise<Made> {
  const { applied, watermark } = decided;
  const action = writer.action as Plannable;
  const draft: Planned = {
    ...decided,
    uid: writer.jobUid ?? writer.run,
    action,
    digest: '',
    born: new Date().toISOString(),
    begun: false,
    may_reject: mayReject,
  };
  const { added, updated, removed, live, listed } = applied;
  const { held = 0 } = applied.kept;
  const plan = await open(draft);
  const shares = sharesOf({ added, updated, removed, held }, MOST_PLAN_RECORDS);
  const summed = await sumUp(plan.effects(), { action, watermark, shares });
  const { digest } = summed;
  const planned = { ...draft, digest };
  await store.change((state) => ({ ...state, planned }), { durable: true });
  await deleteDropped();
  const counts = { live, listed, added, updated, removed, held };
  const all = Object.values(applied.kept).reduce((sum, count) => sum + count, 0);
  return {
    summary: {
      uid: draft.uid,
      of: action,
      digest,
      ...counts,
      kept: all,
      watermark: watermark === null ? null : new Date(watermark),
    },
    summed,
    plan,
  };
}

async function* readShown<S>(
  { store }: PlanWork<S>,
  { summed, plan }: Made,
): AsyncGenerator<readonly PlannedChange[]> {
  const { readBefore, readAfter } = plan;
  const next = new Map<PlanKind, ReadRecords>();
  for (const some of slices(inShownOrder(summed), SHOWN_AT_ONCE))
    for (const { kind, ids } of byKind(some)) {
      // A newer run may erase what these documents tell.
      await store.read();
      const readNext = next.get(kind) ?? readAfter(kind);
      next.set(kind, readNext);
      const before = kind === 'added' ? new Map<string, string | null>() : jsonById(await readBefore(ids));
      const hasAfter = kind === 'added' || kind === 'updated';
      const after = hasAfter ? jsonById(await readNext(ids)) : new Map<string, string | null>();
      yield ids.map((id) => ({ id, kind, before: before.get(id) ?? null, after: after.get(id) ?? null }));
    }
}

function byKind(some: readonly { kind: PlanKind; id: string }[]): { kind: PlanKind; ids: string[] }[] {
  return [...Map.groupBy(some, ({ kind }) => kind)].map(([kind, all]) => ({
    kind,
    ids: all.map(({ id }) => id),
  }));
}

/** A record without a time of its own gets that of its document: a change of the time alone shows too. */
function jsonById(records: readonly LiveRecord[]): Map<string, string | null> {
  return new Map(
    records.map(({ id, updatedAt, json }) => {
      const time = updatedAt === null ? '' : `"updated_at":"${new Date(updatedAt).toISOString()}"`;
      const rest = json.slice(1);
      const whole = time === '' ? json : `{${time}${rest === '}' ? '' : ','}${rest}`;
      return [id, Buffer.byteLength(whole) > MOST_RECORD_BYTES ? null : whole];
    }),
  );
}

async function applyPlan<S extends { readonly planned: Planned | null }>(
  { place, store, open, applied: tidy }: PlanWork<S>,
  { uid, digest }: { uid: string; digest: string },
): Promise<AppliedPlan> {
  const { planned } = await store.read();
  const found = planned && { ...planned, expired: isExpired(planned) };
  // Whatever changes the live data drops the plan, and an older program drops it with any change.
  const kept = refuseOtherPlan(place, found, { uid, digest, isNewest: true });
  const plan = await open(kept);
  // An apply that was cut off in the middle is gone on with.
  if (!kept.begun && (await sumUp(plan.effects(), kept)).digest !== digest)
    throw planStale(place, DATA_CHANGED);
  const { applied, watermark } = await plan.apply();
  await tidy();
  return {
    applied,
    of: kept.action,
    watermark: watermark === null ? null : new Date(watermark),
    proven: kept.action === 'delta' ? null : kept.proven,
  };
}

/** The run as the history knows it: "the last sync" is one that was applied from a plan, too. */
export function asPlanned<T extends { readonly writer: Writer }>(
  sink: T,
  { action }: Pick<Planned, 'action'>,
): T {
  return { ...sink, writer: { ...sink.writer, action } };
}
