/** The story of a record: as a program tells it, and as an answer shows it. */
import { z } from '@hono/zod-openapi';
import type { StoredStory, StoryJob } from '../../db/jobs/stories.ts';
import type { AnswerOfRecord } from '../../db/losses/answers-of-record.ts';
import { REMOVE } from '../../domain/action.ts';
import { STORY_ANSWERS, STORY_KINDS } from '../../domain/story.ts';
import { count, isoTime, orNull, text, time, timeOrNull } from '../http/fields.ts';
import { sourceTime } from '../live/source-time.ts';

const record = z.record(z.string(), z.unknown()).nullable();
const NO_RECORD = 'null if its JSON is larger than 64 KiB, or too deep to be shown';

const toldValue = z.strictObject({
  updated_at: sourceTime.describe('When the record was changed at the source; null if unknown.'),
  record: record.describe(`The record, credentials masked; ${NO_RECORD}.`),
});

const toldEntry = z.strictObject({
  at: time.describe('When.'),
  kind: z.enum(STORY_KINDS).describe('What happened.'),
  action: text(40).nullable().describe('The action of the job; null if it is not known any more.'),
  job_uid: z.uuid().nullable().describe('The uid of the job; null if it is not known any more.'),
  reason: text(40).nullable().describe('Why the record was held or kept.'),
  changed: z.array(z.string()).max(100).nullable().describe('Names of the fields that differ.'),
  changed_by_others: z.boolean().describe('True if another program changed the record afterwards.'),
  before: orNull(toldValue).describe('The value before; null if there was none.'),
  after: orNull(toldValue).describe('The value after; null if there was none.'),
});

/** What a program tells. */
export const toldStory = z
  .strictObject({
    live: orNull(toldValue).describe('The live value; null if the record is not live.'),
    kept: orNull(
      z.strictObject({
        reason: text(40).describe('Why.'),
        since: time.describe('Since when.'),
        checked: time.describe('When a job last found it so.'),
      }),
    ).describe('Why the record is live although a listing lacks it.'),
    last_seen: timeOrNull.describe('The newest full listing that had the live record.'),
    begins: orNull(
      z.strictObject({
        at: time.describe('When.'),
        action: text(40).describe('The action of the job.'),
        job_uid: z.uuid().nullable().describe('The uid of the job.'),
        why: text(500).nullable().describe('Why there is nothing before it.'),
      }),
    ).describe('With what the history begins.'),
    older: count.describe('Older entries that are not told.'),
    entries: z.array(toldEntry).max(200).describe('What happened, the newest first.'),
  })
  .openapi('ToldStory', {
    example: {
      live: null,
      kept: null,
      last_seen: null,
      begins: null,
      older: 0,
      entries: [],
    },
  });
type ToldStory = z.infer<typeof toldStory>;

const valueSchema = z
  .object({
    updated_at: isoTime.nullable().describe('When the record was changed at the source; null if unknown.'),
    record: record.describe(`The record, credentials masked; ${NO_RECORD}.`),
  })
  .openapi('StoryValue');

const jobFields = {
  action: z.string().nullable().describe('The action of the job; null if it is not known any more.'),
  job_id: z.int().nullable().describe('The job; null if its record was deleted, or no job of ours did it.'),
};

const entrySchema = z
  .object({
    at: isoTime.describe('When.'),
    kind: z
      .enum([...STORY_KINDS, ...STORY_ANSWERS])
      .describe(
        '`restored`: a rollback brought the record or an earlier value back. `held`: its removal waits since. `kept`: it ' +
          'stayed although a listing lacked it. `approved` and `pinned` are answers of people to a loss that had it.',
      ),
    ...jobFields,
    requested_by: z.string().nullable().describe('Who asked for the job; null without a job.'),
    answer: orNull(
      z.object({
        by: z.string().describe('Who.'),
        reason: z.string().describe('Why.'),
        loss_id: z.int().describe('The loss.'),
        until: isoTime
          .nullable()
          .describe('Of `pinned`: until when this answer keeps the record; else null.'),
      }),
    ).describe('Of `approved` and `pinned`, whose job is the removal if there is one; else null.'),
    approvals: z
      .array(
        z.object({
          by: z.string().describe('Who.'),
          reason: z.string().describe('Why.'),
          at: isoTime.describe('When.'),
        }),
      )
      .describe('Of a removal that people approved: who did.'),
    reason: z
      .string()
      .nullable()
      .describe(
        'Of `held` and `kept`: `held`, `no_evidence`, `answered`, `referenced`, `rolled_back` or `not_ours`.',
      ),
    changed: z
      .array(z.string())
      .nullable()
      .describe('The fields that differ, at most 100; null unless there is a value before and after.'),
    changed_by_others: z
      .boolean()
      .describe('True if the value that was found later is not the one that the job wrote.'),
    before: orNull(valueSchema).describe('The value before; null if there was none.'),
    after: orNull(valueSchema).describe('The value after; null if there was none.'),
  })
  .openapi('StoryEntry');

export const storySchema = z
  .object({
    target: z.string().describe('The target.'),
    env: z.string().describe('The environment.'),
    id: z.string().describe('The id of the record.'),
    told_at: isoTime.describe('When the story was told; it says nothing of later jobs.'),
    job_id: z.int().describe('The job that told it.'),
    live: orNull(valueSchema).describe('The value that was live then; null if the record was not.'),
    kept: orNull(
      z.object({
        reason: z.string().describe('Why: the words of an entry.'),
        since: isoTime.describe('Since when.'),
        checked: isoTime.describe('When a job last found it so.'),
      }),
    ).describe('Why the record is live although a listing lacks it; null if none lacks it.'),
    pinned_until: isoTime.nullable().describe('Until when an answer keeps the record; null if none does.'),
    last_seen: isoTime
      .nullable()
      .describe(
        'When a full listing that had the live record was last applied; null if unknown or not live.',
      ),
    begins: orNull(
      z.object({
        at: isoTime.describe('When.'),
        ...jobFields,
        why: z
          .string()
          .nullable()
          .describe('Why there is nothing before; null if KEEP_CHANGES may have deleted older changes.'),
      }),
    ).describe(
      'The first job of the kept history. A job that fills an empty table leaves no entries. Null without a history.',
    ),
    older: z.int().describe('Older entries that are kept in the sink and not shown.'),
    entries: z
      .array(entrySchema)
      .describe(
        'What happened, the newest first: at most 200 entries of the sink, and the newest 100 answers as they are now.',
      ),
  })
  .openapi('Story', { example: example() });
export type StoryJson = z.infer<typeof storySchema>;

function example() {
  const before = { updated_at: '2026-10-03T12:00:00.000Z', record: { name: 'Gand', population: 265_086 } };
  const after = { updated_at: '2026-11-22T00:40:00.000Z', record: { name: 'Gent', population: 265_086 } };
  return {
    target: 'avo',
    env: 'qas',
    id: 'k00042',
    told_at: '2026-11-23T09:12:00.000Z',
    job_id: 41,
    live: after,
    kept: null,
    pinned_until: null,
    last_seen: '2026-11-23T01:08:11.000Z',
    begins: { at: '2026-10-24T01:08:20.000Z', action: 'sync', job_id: 9, why: null },
    older: 0,
    entries: [
      {
        at: '2026-11-22T01:08:20.000Z',
        kind: 'updated' as const,
        action: 'sync',
        job_id: 37,
        requested_by: 'schedule qas/avo/sync',
        answer: null,
        approvals: [],
        reason: null,
        changed: ['name'],
        changed_by_others: false,
        before,
        after,
      },
    ],
  };
}

/** A told story as jsonb gives it back: times are texts. */
export type KeptStory = Omit<StoryJson, 'begins' | 'entries'> & {
  readonly begins: (ToldJob & { at: string; action: string; why: string | null }) | null;
  readonly entries: readonly (Omit<EntryJson, 'job_id' | 'requested_by' | 'answer' | 'approvals'> &
    ToldJob)[];
};
type EntryJson = StoryJson['entries'][number];
type ToldJob = { readonly job_uid: ToldStory['entries'][number]['job_uid'] };

/** The uids of the jobs that a story names. */
export function uidsIn({ begins, entries }: KeptStory): string[] {
  return [...new Set([begins, ...entries].flatMap((one) => one?.job_uid ?? []))];
}

/** The jobs that removed the record with people's approval. */
export function removalsIn({ entries }: KeptStory, jobs: ReadonlyMap<string, StoryJob>): number[] {
  const removed = entries.filter(({ kind, action }) => kind === 'removed' && action === REMOVE);
  return removed.flatMap(({ job_uid: uid }) => (uid === null ? undefined : jobs.get(uid))?.id ?? []);
}

export function toStory(
  stored: StoredStory<KeptStory>,
  jobs: ReadonlyMap<string, StoryJob>,
  answers: readonly AnswerOfRecord[],
): StoryJson {
  const { target, env, id, job_id, told_at: at, pinned_until: pinned, story } = stored;
  const { live, kept, last_seen, begins, older } = story;
  const jobOf = (uid: string | null) => (uid === null ? undefined : jobs.get(uid));
  return {
    target,
    env,
    id,
    told_at: at.toISOString(),
    job_id,
    live,
    kept,
    pinned_until: pinned?.toISOString() ?? null,
    last_seen,
    begins: begins && {
      at: begins.at,
      action: begins.action,
      job_id: jobOf(begins.job_uid)?.id ?? null,
      why: begins.why,
    },
    older,
    entries: withAnswers(
      story.entries.map(({ job_uid: uid, ...entry }) => {
        const job = jobOf(uid);
        return {
          ...entry,
          job_id: job?.id ?? null,
          requested_by: job?.requested_by ?? null,
          answer: null,
          approvals: (job?.approvals ?? []).map((one) => ({ ...one, at: new Date(one.at).toISOString() })),
        };
      }),
      answers,
    ),
  };
}

/** Each answer stands above the first entry that is no younger. The entries of the sink keep their order. */
function withAnswers(entries: readonly EntryJson[], answers: readonly AnswerOfRecord[]): EntryJson[] {
  const all = [...entries];
  for (const answer of answers) {
    const place = all.findIndex(({ at }) => Date.parse(at) <= answer.at.getTime());
    all.splice(place === -1 ? all.length : place, 0, answerEntry(answer));
  }
  return all;
}

function answerEntry({ kind, at, by, reason, loss_id, until, job_id }: AnswerOfRecord): EntryJson {
  return {
    at: at.toISOString(),
    kind,
    action: job_id === null ? null : REMOVE,
    job_id,
    requested_by: null,
    answer: { by, reason, loss_id, until: until?.toISOString() ?? null },
    approvals: [],
    reason: null,
    changed: null,
    changed_by_others: false,
    before: null,
    after: null,
  };
}
