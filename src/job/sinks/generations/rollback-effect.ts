/** The changes that a rollback to a kept generation would make: counts, a digest of it all, and a sample. Pure. */
import { createHash } from 'node:crypto';
import type { RollbackPreview } from '../../../domain/report.ts';
import { JobError } from '../../job-error.ts';
import type { RollbackTo } from '../sink.ts';
import { compareStamps, type Stamps } from './compare.ts';
import type { LeftBy } from './state-parts.ts';

export type Sampled = { readonly id: string; readonly change: 'added' | 'updated' | 'removed' };
export type Effect = {
  readonly live: number;
  readonly added: number;
  readonly updated: number;
  readonly removed: number;
  readonly digest: string;
  readonly sample: readonly Sampled[];
};

const MOST_SAMPLED = 20;

export async function effectOfSwitch(of: { now: Stamps; next: Stamps }): Promise<Effect> {
  const counts = { added: 0, updated: 0, removed: 0 };
  const sample: Sampled[] = [];
  const digest = createHash('sha256');
  let live = 0;
  for await (const { kind, id, now, next } of compareStamps(of)) {
    if (now) live += 1;
    if (kind === 'same') continue;
    counts[kind] += 1;
    if (sample.length < MOST_SAMPLED) sample.push({ id, change: kind });
    digest.update(JSON.stringify([id, kind, now?.updatedAt ?? null, next?.updatedAt ?? null]));
  }
  return { live, ...counts, digest: digest.digest('hex').slice(0, 32), sample };
}

/** @throws JobError `previewChanged` if the preview had another effect */
export function refuseOtherEffect(alias: string, { expect }: RollbackTo, digest: string): void {
  if (expect === null || expect === digest) return;
  throw new JobError(
    'previewChanged',
    `alias ${alias} has changed since the preview, so this rollback would have another effect; nothing was ` +
      'changed. Request a new preview',
  );
}

/** Ids whose fields the preview compares. */
export function updatedIn(sample: readonly Sampled[]): string[] {
  return sample.filter(({ change }) => change === 'updated').map(({ id }) => id);
}

type Fields = Readonly<Record<string, unknown>>;

/** Names of the changed fields, without values: every reader of a job sees them, and values are data. */
export function differingFields(now: Fields | undefined, then: Fields | undefined): string[] {
  if (!now || !then) return [];
  return [...new Set([...Object.keys(now), ...Object.keys(then)])].filter(
    (name) => JSON.stringify(now[name]) !== JSON.stringify(then[name]),
  );
}

export function previewOf(of: {
  effect: Effect;
  /** The job to undo; without its name if that is unknown. */
  before: Pick<LeftBy, 'at'> & Partial<LeftBy>;
  watermark: string | null;
  fields: (id: string) => readonly string[];
}): RollbackPreview {
  const { added, updated, removed, digest, sample } = of.effect;
  const { job_id: id = null, job_uid: uid = null, action = 'sync', at } = of.before;
  return {
    before: { job_id: id, job_uid: uid, action, applied_at: at },
    added,
    updated,
    removed,
    // A document does not record who wrote it.
    changed_by_others: 0,
    digest,
    watermark: of.watermark,
    sample: sample.map((one) => ({
      id: one.id.slice(0, 200),
      change: one.change,
      fields: of
        .fields(one.id)
        .map((name) => name.slice(0, 100))
        .slice(0, 20),
    })),
  };
}
