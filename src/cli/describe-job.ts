/** Describes one job in full, for `jobs show`. */
import type { JobJson } from '../client/client.ts';
import { areItems, keptWords, LISTING_WORDS } from '../client/data-format.ts';
import { heldWords } from '../client/loss-format.ts';
import { isFinal } from '../domain/status.ts';
import { bytesOf, duration } from '../client/format.ts';
import { summaryOf } from './follow.ts';
import { type Cell, fieldsOf, tableOf } from '../terminal/output.ts';
import { describePreview } from './rollback-command.ts';

export function describe(job: JobJson): string {
  const { parameters } = job;
  return [
    summaryOf(job),
    fieldsOf({
      requested: `${job.created_at} by ${job.requested_by} (${job.trigger})`,
      'cancelled by': job.cancel_requested_by,
      [isFinal(job.status) ? 'left behind' : 'waiting for']: job.status_detail,
      'rolled back to': job.rollback_before === null ? null : `before job ${job.rollback_before}`,
      plan: job.plan_id === null ? null : `${job.plan_id}: syncrator plans show ${job.plan_id}`,
      listing: listing(job),
      kept: keptWords(job.kept),
      held: heldCell(job),
      'next delta': job.watermark === null ? null : `reads from ${job.watermark} on`,
      [areItems(job) ? 'failed items' : 'rejected']: failedItems(job),
      parameters: `${parameters.action} ${parameters.options} (tag ${parameters.is_tag})`,
      temporal: job.temporal_url,
    }),
    '',
    ...(job.rollback_preview === null ? [] : [describePreview(job, job.rollback_preview), '']),
    tableOf(
      ['STEP', 'TRY', 'ACTION', 'OUTCOME', 'TOOK', 'LOG', 'NAME'],
      job.steps.map(stepRow),
      'no step has started',
    ),
  ].join('\n');
}

function stepRow(step: JobJson['steps'][number]): string[] {
  const { started_at: start, ended_at: end } = step;
  const seconds = start === null ? null : ((end ? Date.parse(end) : Date.now()) - Date.parse(start)) / 1000;
  return [
    String(step.step + 1),
    String(step.attempt),
    step.action,
    step.outcome ?? 'running',
    seconds === null ? '' : duration(seconds),
    bytesOf(step.log_bytes),
    step.name,
  ];
}

function listing({ listing: told }: JobJson): Cell | null {
  if (told === null) return null;
  return told === 'complete' ? LISTING_WORDS.complete : { text: LISTING_WORDS.unproven, look: 'yellow' };
}

function heldCell({ held }: JobJson): Cell | null {
  const words = heldWords(held);
  return words === null ? null : { text: `${words}: syncrator losses`, look: 'yellow' };
}

/** Names the first five; `--output json` lists all. */
function failedItems({ failed_items: items }: JobJson): string | null {
  if (items.length === 0) return null;
  const first = items.slice(0, 5).map(({ id, why }) => `${id} (${why})`);
  return `${items.length}: ${first.join(', ')}${items.length > first.length ? ', …' : ''}`;
}
