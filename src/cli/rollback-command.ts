/** `rollback`: restores the data from before a job; --preview shows what that would change. */
import type { Command } from 'commander';
import type { JobJson, RollbackTo } from '../client/client.ts';
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
import { namedRecords } from '../domain/options.ts';
import { CliFailure } from '../terminal/failure.ts';
import { endWith, follow, summaryOf } from './follow.ts';
import { fieldsOf, print, tableOf } from '../terminal/output.ts';
import { start, type StartOptions, starting } from './start.ts';
import { jobId } from './values.ts';

type RollbackOptions = StartOptions & {
  before?: number;
  id?: string[];
  only?: true;
  preview?: true;
  expect?: string;
};

export function rollbackCommand(program: Command, contextOf: (command: Command) => Context): void {
  starting(program, 'rollback', 'go back to before a job; --preview shows what would change')
    .option(
      '-b, --before <job>',
      'the first job to undo, with all later ones (default: the last sync)',
      jobId,
    )
    .option('--id <record>', 'restore only this record; may be repeated', oneMore, [])
    .option('--only', 'restore only the records that the job of --before changed')
    .option('-p, --preview', 'show what would change, and change nothing')
    .option('--expect <digest>', 'fail unless it changes exactly what this preview showed')
    .addHelpText(
      'after',
      `
A rollback is itself a job, and another rollback can undo it. With --id or --only it restores some
records; all others, and the place where the next delta reads from, stay. In Solr and OpenSearch
these are records that a job removed; updated ones go back without --id and --only, with all others.

Examples:
  syncrator rollback avo qas --before 37 --preview
  syncrator rollback avo qas --before 37 --expect 3f0c9a71b2d84e65
  syncrator rollback avo qas --before 37 --id k00042`,
    )
    .action(async (target: string, env: string, options: RollbackOptions, command: Command) => {
      const context = contextOf(command);
      const { preview, expect } = options;
      if (preview) return await showPreview(context, { target, env, ...options });
      const asked: RollbackTo = { ...goalOf(options), ...(expect === undefined ? {} : { expect }) };
      await start(context, options, (api) => api.rollback(target, env, asked));
    });
}

function goalOf({ before, id = [], only }: RollbackOptions): RollbackTo {
  return {
    ...(before === undefined ? {} : { before }),
    ...(id.length === 0 ? {} : { ids: id }),
    ...(only === undefined ? {} : { only }),
  };
}

function oneMore(id: string, before: string[]): string[] {
  return [...before, id];
}

type Previewed = RollbackOptions & { target: string; env: string };

async function showPreview({ server, format }: Context, of: Previewed): Promise<void> {
  if (of.expect !== undefined) throw new CliFailure('--preview and --expect exclude each other');
  if (of.detach)
    throw new CliFailure('--preview and --detach exclude each other: a preview is followed to its end');
  const to: RollbackTo = { preview: true, ...goalOf(of) };
  const started = await server.call((api) => api.rollback(of.target, of.env, to));
  const job = await follow(server, started.job_id, { quiet: of.wait === true });
  print(format, job, () =>
    job.rollback_preview ? describePreview(job, job.rollback_preview) : summaryOf(job),
  );
  if (job.status === 'completed' && job.rollback_preview === null)
    throw new CliFailure(`job ${job.id} reported no preview: does our sync program write this target?`);
  endWith(job);
}

/** Describes the preview of a job, with the command that performs it. */
export function describePreview(job: JobJson, preview: RollbackPreviewJson): string {
  const { added, updated, removed, before, watermark, sample } = preview;
  const others = othersWords(preview);
  const facts = fieldsOf({
    'back to': `${beforeWords(preview)}, which wrote ${ago(before.applied_at)}`,
    'come back': count(added),
    change: count(updated),
    go: count(removed),
    others: others === null ? null : { text: others, look: 'yellow' },
    'next delta': watermark === null ? 'compares everything' : `reads from ${watermark} on`,
    'other records': preview.some_records === true ? 'stay as they are' : null,
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
    `To do it: ${commandOf(job, preview)}`,
  ].join('\n');
}

/** The digest pins the effect of the preview, also if the sink knows no job to go back to before. */
function commandOf({ target, env, parameters }: JobJson, { before, digest }: RollbackPreviewJson): string {
  const { ids = [], only } = namedRecords(parameters.options);
  const job = before.job_id === null ? '' : ` --before ${before.job_id}`;
  const some = [...ids.map((id) => ` --id ${quoted(id)}`), ...(only ? [' --only'] : [])].join('');
  return `syncrator rollback ${target} ${env}${job}${some} --expect ${digest}`;
}

/** The word as a shell reads it. */
function quoted(word: string): string {
  return /^[\w.:/@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function count(records: number): string {
  return records.toLocaleString('en');
}
