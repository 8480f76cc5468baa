/** `rollback`: restores the data from before a job; --preview shows what that would change. */
import type { Command } from 'commander';
import type { RollbackTo } from '../client/client.ts';
import {
  beforeWords,
  CHANGE_WORDS,
  othersWords,
  type RollbackPreviewJson,
  sampleWords,
  touched,
} from '../client/data-format.ts';
import { ago } from '../client/format.ts';
import type { Context } from './context.ts';
import { CliFailure } from '../terminal/failure.ts';
import { endWith, follow, summaryOf } from './follow.ts';
import { fieldsOf, print, tableOf } from '../terminal/output.ts';
import { start, type StartOptions, starting } from './start.ts';
import { jobId } from './values.ts';

type RollbackOptions = StartOptions & { before?: number; preview?: true; expect?: string };

export function rollbackCommand(program: Command, contextOf: (command: Command) => Context): void {
  starting(program, 'rollback', 'go back to before a job; --preview shows what would change')
    .option(
      '-b, --before <job>',
      'the first job to undo, with all later ones (default: the last sync)',
      jobId,
    )
    .option('-p, --preview', 'show what would change, and change nothing')
    .option('--expect <digest>', 'fail unless it changes exactly what this preview showed')
    .addHelpText(
      'after',
      `
A rollback is itself a job, and another rollback can undo it.

Examples:
  syncrator rollback avo qas --before 37 --preview
  syncrator rollback avo qas --before 37 --expect 3f0c9a71b2d84e65`,
    )
    .action(async (target: string, env: string, options: RollbackOptions, command: Command) => {
      const context = contextOf(command);
      const { before, preview, expect } = options;
      if (preview) return await showPreview(context, { target, env, ...options });
      const asked: RollbackTo = {
        ...(before === undefined ? {} : { before }),
        ...(expect === undefined ? {} : { expect }),
      };
      await start(context, options, (api) => api.rollback(target, env, asked));
    });
}

type Previewed = RollbackOptions & { target: string; env: string };

async function showPreview({ server, format }: Context, of: Previewed): Promise<void> {
  if (of.expect !== undefined) throw new CliFailure('--preview and --expect exclude each other');
  if (of.detach)
    throw new CliFailure('--preview and --detach exclude each other: a preview is followed to its end');
  const to: RollbackTo = { preview: true, ...(of.before === undefined ? {} : { before: of.before }) };
  const started = await server.call((api) => api.rollback(of.target, of.env, to));
  const job = await follow(server, started.job_id, { quiet: of.wait === true });
  print(format, job, () =>
    job.rollback_preview ? describePreview(job.rollback_preview, of) : summaryOf(job),
  );
  if (job.status === 'completed' && job.rollback_preview === null)
    throw new CliFailure(`job ${job.id} reported no preview: does our sync program write this target?`);
  endWith(job);
}

/** Describes a preview, with the command that performs it. */
export function describePreview(preview: RollbackPreviewJson, of: { target: string; env: string }): string {
  const { added, updated, removed, before, watermark, sample } = preview;
  const others = othersWords(preview);
  const facts = fieldsOf({
    'back to': `${beforeWords(preview)}, which wrote ${ago(before.applied_at)}`,
    'come back': count(added),
    change: count(updated),
    go: count(removed),
    others: others === null ? null : { text: others, look: 'yellow' },
    'next delta': watermark === null ? 'compares everything' : `reads from ${watermark} on`,
    '': { text: 'nothing was changed', look: 'dim' },
  });
  if (touched(preview) === 0) return `${facts}\n\nNothing to roll back: no record would change.`;
  const rows = sample.map(({ id, change, fields }) => [id, CHANGE_WORDS[change], fields.join(', ')]);
  return [
    facts,
    '',
    `${sampleWords(preview)}:`,
    tableOf(['RECORD', 'WHAT', 'FIELDS'], rows, ''),
    '',
    `To do it: ${commandOf(preview, of)}`,
  ].join('\n');
}

/** The digest pins the effect of the preview, also if the sink knows no job to go back to before. */
function commandOf({ before, digest }: RollbackPreviewJson, of: { target: string; env: string }): string {
  const job = before.job_id === null ? '' : ` --before ${before.job_id}`;
  return `syncrator rollback ${of.target} ${of.env}${job} --expect ${digest}`;
}

function count(records: number): string {
  return records.toLocaleString('en');
}
