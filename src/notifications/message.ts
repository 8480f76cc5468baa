/** Composes notifications in the format of their receiver, without credentials. Pure. */
import type { LossView } from '../db/losses/losses.ts';
import type { JobView } from '../db/views/job-views.ts';
import { EXPIRES_AFTER_MS, percentOfLive } from '../domain/loss.ts';
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
    /** The id of a loss, with the number and share of its records. */
    readonly loss?: number;
    readonly count?: number;
    readonly percent?: number;
    readonly [fact: string]: unknown;
  };
};

/** What a notice is about, as it is when the message is composed. */
export type Subject = {
  /** Null for a missed schedule, and for a job that has been purged meanwhile. */
  readonly job: JobView | null;
  /** Null for every event but losses_waiting. */
  readonly loss: LossView | null;
};

/** @param publicUrl of the web page, without a final slash; undefined = no link */
export function messageOf(notice: Notice, subject: Subject, publicUrl: string | undefined): Message {
  const { env, target, at } = notice;
  const { type, path, facts } = aboutLoss(notice, subject) ?? aboutJob(notice, subject);
  const url = publicUrl === undefined ? null : `${publicUrl}/#/${path}`;
  return { type, timestamp: at, data: maskedWithin({ env, target, ...facts, url }) };
}

type About = { readonly type: string; readonly path: string; readonly facts: object };

function aboutJob({ event, schedule, jobId, at }: Notice, { job }: Subject): About {
  return {
    type: schedule === null ? `job.${event}` : 'schedule.missed',
    path: jobId === null ? '' : `jobs/${jobId}`,
    facts: schedule === null ? jobFacts(jobId, job) : { schedule, due_at: at },
  };
}

/** Never contents: the receiver may be anyone. */
function aboutLoss({ lossId, jobId }: Notice, { loss }: Subject): About | undefined {
  if (lossId === null || lossId === undefined) return undefined;
  const facts = loss && {
    status: loss.status,
    count: loss.count,
    live: loss.live,
    percent: percentOfLive(loss.count, loss.live),
    born_at: loss.born_at.toISOString(),
    expires_at: new Date(loss.born_at.getTime() + EXPIRES_AFTER_MS).toISOString(),
  };
  return { type: 'losses.waiting', path: `losses/${lossId}`, facts: { loss: lossId, job: jobId, ...facts } };
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
  'losses.waiting': '⚖',
};

/**
 * One line and the reason, in the format of Slack and its imitators:
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
export function slackText({ type, data }: Message): { text: string } {
  const { id, loss, diagnosis, url } = data;
  const about = loss === undefined ? id && `job ${id}` : `loss ${loss}`;
  const name = about || 'Syncrator';
  const link = url === null ? (about ? ` (${name})` : '') : ` (<${url}|${name}>)`;
  const why = diagnosis
    ? `\n> ${escaped(diagnosis.summary)} ${escaped(diagnosis.detail)}\n> ${escaped(diagnosis.what_to_do)}`
    : '';
  return { text: `${SIGNS[type] ?? ''} ${whatHappened({ type, data })}${link}${why}` };
}

function whatHappened({ type, data }: Pick<Message, 'type' | 'data'>): string {
  const { action, schedule, due_at: due, loss, count, percent } = data;
  const where = `*${escaped(data.target)}* in *${escaped(data.env)}*`;
  if (loss !== undefined) return lossWords({ count, percent, where });
  if (schedule !== undefined)
    return `${where} has missed its schedule ${escaped(schedule)}, due ${escaped(due ?? '')}`;
  return `${action ?? 'a job'} of ${where} ${type.slice('job.'.length)}`;
}

/** @param of.count undefined if the loss has been purged meanwhile */
function lossWords(of: { count: number | undefined; percent: number | undefined; where: string }): string {
  const share = of.percent === undefined ? '' : ` (${of.percent} %)`;
  if (of.count === 1)
    return `1 record of ${of.where}${share} is gone at the source and waits: approve that it is removed, or keep it`;
  return `${of.count ?? 'the'} records of ${of.where}${share} are gone at the source and wait: approve that they are removed, or keep them`;
}

/** https://docs.slack.dev/messaging/formatting-message-text#escaping */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('\n', ' ');
}
