/** Composes notifications in the format of their receiver, without credentials. Pure. */
import type { JobView } from '../db/views/job-views.ts';
import { maskedWithin } from '../domain/mask.ts';
import type { Notice } from '../domain/notice.ts';
import type { Diagnosis } from '../domain/outcome.ts';

/** Recommended by https://www.standardwebhooks.com: the event, its time, and its subject. */
export type Message = {
  readonly type: string;
  readonly timestamp: string;
  readonly data: {
    readonly env: string;
    readonly target: string;
    /** Link to the page; null without SYNCRATOR_PUBLIC_URL. */
    readonly url: string | null;
    readonly id?: number | null;
    readonly action?: string;
    readonly schedule?: string;
    readonly due_at?: string;
    readonly diagnosis?: Diagnosis | null;
    readonly [fact: string]: unknown;
  };
};

/**
 * @param job null for a missed schedule, and for a job that has been purged meanwhile
 * @param publicUrl of the web page, without a final slash; undefined = no link
 */
export function messageOf(notice: Notice, job: JobView | null, publicUrl: string | undefined): Message {
  const { event, env, target, schedule, jobId, at } = notice;
  const type = schedule === null ? `job.${event}` : 'schedule.missed';
  const url = publicUrl === undefined ? null : `${publicUrl}/#/${jobId === null ? '' : `jobs/${jobId}`}`;
  const facts = schedule === null ? jobFacts(jobId, job) : { schedule, due_at: at };
  return { type, timestamp: at, data: maskedWithin({ env, target, ...facts, url }) };
}

function jobFacts(id: number | null, job: JobView | null) {
  if (job === null) return { id };
  const newest = job.steps.at(-1)?.report;
  return {
    id,
    action: job.action_name,
    status: job.status,
    trigger: job.trigger,
    requested_by: job.requested_by,
    diagnosis: job.diagnosis,
    records: newest
      ? {
          done: newest.records_done,
          total: newest.records_total,
          added: newest.added,
          updated: newest.updated,
          deleted: newest.deleted,
          failed: newest.failed,
        }
      : null,
    created_at: job.created_at.toISOString(),
    started_at: job.started_at?.toISOString() ?? null,
    finished_at: job.finished_at?.toISOString() ?? null,
  };
}

const SIGNS: Readonly<Record<string, string>> = {
  'job.started': '▶',
  'job.completed': '✓',
  'job.failed': '✗',
  'job.deleted': '■',
  'schedule.missed': '⏰',
};

/**
 * One line and the reason, in the format of Slack and its imitators:
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
export function slackText({ type, data }: Message): { text: string } {
  const { env, target, action, id, schedule, due_at: due, diagnosis, url } = data;
  const what =
    schedule === undefined
      ? `${action ?? 'a job'} of *${escaped(target)}* in *${escaped(env)}* ${type.slice('job.'.length)}`
      : `*${escaped(target)}* in *${escaped(env)}* has missed its schedule ${escaped(schedule)}, due ${escaped(due ?? '')}`;
  const name = id ? `job ${id}` : 'Syncrator';
  const link = url === null ? (id ? ` (${name})` : '') : ` (<${url}|${name}>)`;
  const why = diagnosis
    ? `\n> ${escaped(diagnosis.summary)} ${escaped(diagnosis.detail)}\n> ${escaped(diagnosis.what_to_do)}`
    : '';
  return { text: `${SIGNS[type] ?? ''} ${what}${link}${why}` };
}

/** https://docs.slack.dev/messaging/formatting-message-text#escaping */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\n', ' ');
}
