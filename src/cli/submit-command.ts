/** `jobs submit`: starts many jobs from a file or a pipe. */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { parse, YAMLParseError } from 'yaml';
import type { BatchJob } from '../client/client.ts';
import type { Context } from './context.ts';
import { CliFailure, EXIT } from '../terminal/failure.ts';
import { print, tableOf } from '../terminal/output.ts';

export function submitCommand(jobs: Command, contextOf: (command: Command) => Context): void {
  jobs
    .command('submit <file>')
    .description('start many jobs from a YAML or JSON list; - reads it from stdin')
    .addHelpText(
      'after',
      `
Each job is accepted or rejected by itself; exit code 1 if one was rejected. The file:
  - {operation: sync, target: avo, env: qas}
  - {operation: SET_STATUS, target: INCOME, releaseStatus: PENDING_RELEASE}

Example:
  syncrator jobs submit tonight.yaml`,
    )
    .action(async (file: string, _: object, command: Command) => {
      const { server, format } = contextOf(command);
      const items = itemsOf(await read(file), file);
      const answers = await server.call((api) => api.createJobs(items));
      const rows = answers.map(({ status, msg, job_id: id }, at) => [
        status === 'CREATED'
          ? { text: String(id), look: 'green' as const }
          : { text: 'rejected', look: 'red' as const },
        nameOf(items[at]),
        status === 'CREATED' ? '' : msg,
      ]);
      print(format, answers, () => tableOf(['JOB', 'REQUEST', 'ERROR'], rows, 'the list is empty'));
      if (answers.some(({ status }) => status === 'FAILED')) process.exitCode = EXIT.usage;
    });
}

/** @throws CliFailure */
async function read(file: string): Promise<string> {
  if (file === '-') return await text(process.stdin);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CliFailure(`cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Reads a list of jobs, or a body of POST /jobs. The items are not checked: the server answers for each. @throws CliFailure */
function itemsOf(content: string, file: string): readonly BatchJob[] {
  try {
    const parsed: unknown = parse(content);
    const list: unknown =
      typeof parsed === 'object' && parsed !== null && 'jobs' in parsed ? parsed.jobs : parsed;
    if (Array.isArray(list)) return list as BatchJob[];
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    throw new CliFailure(`${file}: ${error.message}`);
  }
  throw new CliFailure(
    `${file} is not a list of jobs (expected e.g. - {operation: sync, target: avo, env: qas})`,
  );
}

/** @param item unchecked, as the file has it */
function nameOf(item: Partial<BatchJob> | null | undefined): string {
  const { operation = '?', target = '?', env } = item ?? {};
  return `${operation} ${target}${env === undefined ? '' : ` in ${env}`}`;
}
