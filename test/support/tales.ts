/** Targets whose program reports what a test has written for it: syncs and rollbacks that never happened. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { RollbackPreview, UnusualFigure } from '../../src/domain/report.ts';
import type { HeldSet, PlannedSet, Tale } from './programs/teller.ts';
import { paramsFile } from './params-files.ts';

const TELLER = path.resolve(import.meta.dirname, 'programs/teller.ts');

export type Tales = Disposable & {
  /** The params file of one of its actions. */
  /** @param more further lines of the params file */
  params(target: string, action: string, more?: string): [file: string, text: string];
  /** By action; `preview` for that of a rollback. Applies from the next job on. */
  tell(target: string, tales: Readonly<Record<string, Tale>>): void;
  /** A path without a file, for `until`. */
  path(name: string): string;
};

export function writeTales(): Tales {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-tales-'));
  const fileOf = (target: string) => path.join(folder, `${target}.json`);
  return {
    params: (target, action, more = '') =>
      paramsFile({ target, action, command: `node ${TELLER}`, options: `--tell ${fileOf(target)}`, more }),
    tell: (target, tales) => writeFileSync(fileOf(target), JSON.stringify(tales)),
    path: (name) => path.join(folder, name),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** `k00001` and so on: records that a job holds. */
export function heldSet(count: number, of: { live: number; from?: number }): HeldSet {
  const { live, from = 1 } = of;
  const records = Array.from({ length: count }, (_, at) => {
    const id = `k${String(from + at).padStart(5, '0')}`;
    return {
      id,
      missing_since: new Date(Date.now() - 3_600_000).toISOString(),
      last_seen: new Date(Date.now() - 25 * 3_600_000).toISOString(),
      updated_at: '2026-10-03T12:00:00.000Z',
      record: { id, name: `Place ${from + at}`, country: 'BE', population: 1_000 + at },
    };
  });
  return { live, records };
}

/** A sync that holds removals, as its program reports it. */
export function holdingSync(held: HeldSet): Tale {
  const count = held.records.length;
  const reports = [{ phase: 'done', added: 9, updated: 120, deleted: 0, kept: count, held: count }];
  return { reports, held };
}

/** A count of a run as the baseline sees it: the last 14 nights, and this one. */
export const UNUSUAL_REMOVALS: UnusualFigure = {
  measure: 'removed',
  count: 812,
  median: 10,
  least: 0,
  most: 110,
  earlier: [9, 12, 10, 0, 8, 10, 31, 10, 9, 12, 11, 7, 10, 14].map((count, night) => ({
    at: new Date(Date.UTC(2026, 10, 8 + night, 1, 8)).toISOString(),
    count,
  })),
};
export const PLAN_DIGEST = '9d1c2f7f2f6c1a55'.repeat(4);

/** What a sync would change: the first of each kind in detail, and counts that may tell of more. */
export function plannedSet(
  counts: { added?: number; updated?: number; removed?: number; held?: number },
  more: Readonly<Record<string, unknown>> = {},
): PlannedSet {
  const { added = 0, updated = 0, removed = 0, held = 0 } = counts;
  const ids = (count: number, first: number) =>
    Array.from({ length: count }, (_, at) => `k${String(first + at).padStart(5, '0')}`);
  const was = (id: string) => ({ id, name: `Place ${id}`, country: 'BE', population: 1_000 });
  const records: PlannedSet['records'] = [
    ...ids(added, 90_001).map((id) => ({ id, kind: 'added' as const, before: null, after: was(id) })),
    ...ids(updated, 1).map((id) => ({
      id,
      kind: 'updated' as const,
      before: was(id),
      after: { ...was(id), population: 1_250, mayor: { name: `Ann ${id}` } },
    })),
    ...ids(removed, 50_001).map((id) => ({ id, kind: 'removed' as const, before: was(id), after: null })),
    ...ids(held, 70_001).map((id) => ({ id, kind: 'held' as const, before: was(id), after: null })),
  ];
  const watermark = '2026-11-22T01:00:00.000Z';
  const figures = { live: 14_700, listed: 14_710, added, updated, removed, held, kept: 0, watermark };
  return { records, summary: { of: 'sync', digest: PLAN_DIGEST, ...figures, ...more } };
}

/** A sync with much to report. */
export const DOUBTFUL_SYNC: Tale = {
  reports: [
    {
      phase: 'done',
      records_done: 171_075,
      records_total: 171_075,
      added: 9,
      updated: 120,
      deleted: 0,
      listing: 'unproven',
      kept: 2_104,
      watermark: '2026-11-21T00:00:00.000Z',
      unusual: [UNUSUAL_REMOVALS],
      warnings: [
        "the source did not show that its listing is complete, so nothing was removed; SOURCE_FILE_COMPLETE=true says that the file's writer renames it into place",
        'the clock of the source is 12 min ahead of ours: the earlier of the two counts',
      ],
      failed_items: [
        { id: 'k00042', why: 'line 17: updated_at is 25:61, not a valid time' },
        { id: 'k00911', why: 'line 40 of page 3: population is not a finite number' },
      ],
    },
  ],
};

export const PREVIEW = {
  before: {
    job_id: null,
    job_uid: null,
    action: 'sync',
    applied_at: '2026-11-22T01:08:20.000Z',
  },
  added: 9,
  updated: 1_120,
  removed: 3,
  changed_by_others: 4,
  digest: '3f0c9a71b2d84e65',
  watermark: '2026-11-21T00:00:00.000Z',
  sample: [
    { id: 'k00042', change: 'updated', fields: ['name', 'population'] },
    { id: 'k00911', change: 'added', fields: ['name', 'country', 'population', 'lat', 'lng'] },
    { id: 'a record/with a long id that goes on <b>and on</b>', change: 'removed', fields: [] },
  ],
} as const satisfies RollbackPreview;
