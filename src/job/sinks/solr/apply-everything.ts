/**
 * Makes a loaded standby live: verifies it, compares it with the live data, lets the caller judge, switches the
 * aliases.
 */
import { JobError } from '../../job-error.ts';
import { TooManyRejected } from '../../rejected.ts';
import type { Applied, ApplyPlan, ApplyResult, Difference, Load } from '../sink.ts';
import { describeCollection } from './collections.ts';
import { compareCollections } from './compare.ts';
import { commit, countDocuments } from './documents.ts';
import { EvenSample, MOST_ASKED } from './even-sample.ts';
import { fenced } from './fence.ts';
import { checkLoad } from './load.ts';
import type { EverythingLoader } from './load-everything.ts';
import { startMove } from './move-aliases.ts';
import { generationIn, readPlaces, type Solr } from './aliases.ts';
import type { Generation } from './state.ts';
import { leavingNow, withStep } from './steps.ts';

export async function applyEverything(
  solr: Solr,
  { load, plan, loader }: { load: Load; plan: ApplyPlan; loader: EverythingLoader },
): Promise<ApplyResult> {
  const { client, names, store } = solr;
  const { rejected, done } = checkLoad(await store.read(), load, names.primary);
  if (rejected.length > plan.mayReject) throw new TooManyRejected(rejected, plan.mayReject);
  const { collection } = await loader.verify(load);
  const { primary } = await readPlaces(solr);
  await commit(client, primary);
  const live = await generationIn(solr, await store.read(), primary);
  const { gone, ...counts } = await compare(solr, {
    primary,
    collection,
    watermark: live?.watermark ?? null,
    answered: plan.answered,
  });
  if (gone.all.count > 0) {
    if (!plan.mayRemove)
      throw wouldLoseRecords(gone.all, 'are missing in the listing, which was not proven complete');
    if (plan.answered === null) return { kind: 'ask', ids: gone.all.ids };
    if (gone.answered.count > 0)
      throw wouldLoseRecords(
        gone.answered,
        'are missing in the listing, but the source returned them when asked by id',
      );
  }
  const difference: Difference = { ...counts, listed: done, removed: gone.all.count, kept: {} };
  plan.judge(difference);
  const applied: Applied = { ...difference, rejected };
  await switchTo(solr, { load, plan, live, applied });
  return { kind: 'applied', applied };
}

type Comparison = Pick<Difference, 'live' | 'added' | 'updated' | 'missed'> & {
  readonly gone: { readonly all: EvenSample; readonly answered: EvenSample };
};

async function compare(
  { client }: Solr,
  of: {
    primary: string;
    collection: string;
    watermark: string | null;
    answered: ReadonlySet<string> | null;
  },
): Promise<Comparison> {
  const counts = { live: 0, added: 0, updated: 0 };
  const gone = { all: new EvenSample(MOST_ASKED), answered: new EvenSample(MOST_ASKED) };
  const watermark = of.watermark === null ? null : Date.parse(of.watermark);
  const missed = { count: 0, latestMs: 0 };
  for await (const { kind, id, now, next } of compareCollections(client, {
    now: of.primary,
    next: of.collection,
  })) {
    if (now) counts.live += 1;
    if (kind === 'removed') {
      gone.all.offer(id);
      if (of.answered?.has(id)) gone.answered.offer(id);
    } else if (kind !== 'same') {
      counts[kind] += 1;
      const late = watermark === null ? 0 : watermark - (next?.updatedAt ?? watermark);
      if (late > 0) {
        missed.count += 1;
        missed.latestMs = Math.max(missed.latestMs, late);
      }
    }
  }
  return { ...counts, gone, missed: watermark === null ? null : missed };
}

/** After a switch readers see only the standby, so records that it lacks would be lost. */
function wouldLoseRecords({ count, ids }: EvenSample, why: string): JobError {
  const first = ids.slice(0, 5).map((id) => JSON.stringify(id.slice(0, 100)));
  return new JobError(
    'incompleteListing',
    `nothing was changed: ${count} live records ${why} (${first.join(', ')}${count > 5 ? ', …' : ''}). A switch would lose ` +
      'them, so the aliases were not switched. Make the source list everything, then run the job again; until then a delta ' +
      'adds and updates records',
  );
}

async function switchTo(
  solr: Solr,
  of: { load: Load; plan: ApplyPlan; live: Generation | null; applied: Applied },
): Promise<void> {
  const { client, names, store, writer } = solr;
  const { load, plan, live, applied } = of;
  const { primary, standby } = await readPlaces(solr);
  if (checkLoad(await store.read(), load, names.primary).collection !== standby)
    throw fenced(names.primary, 'the standby is no longer the loaded collection');
  const { creationTimeMillis: created } = await describeCollection(client, standby);
  const before = await describeCollection(client, primary);
  const something = (await countDocuments(client, primary)) > 0;
  await startMove(solr, { kind: 'switch', primary: standby, standby: primary }, (state) => {
    checkLoad(state, load, names.primary);
    const kept = live ?? { ...UNKNOWN, created: before.creationTimeMillis };
    const next = {
      created,
      synced: true,
      watermark: plan.watermark === 'keep' ? (live?.watermark ?? null) : asText(plan.watermark),
      coarse_times: plan.coarseTimes,
      proven: plan.proven,
      left_by: null,
    };
    // A rollback can restore the data that readers saw until now, no matter who loaded them, unless there were none.
    const earlier = something ? { [primary]: { ...kept, left_by: leavingNow(writer) } } : {};
    return { load: null, generations: { ...earlier, [standby]: next }, ...withStep(state, writer, applied) };
  });
}

/** The generation of data that another program has loaded. */
export const UNKNOWN: Omit<Generation, 'created'> = {
  synced: false,
  watermark: null,
  coarse_times: false,
  proven: false,
  left_by: null,
};

function asText(watermark: Date | null): string | null {
  return watermark?.toISOString() ?? null;
}
