/** `jobs submit`: many jobs at once, from a file or a pipe. */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { Command } from 'commander';
import { parse, YAMLParseError } from 'yaml';
import type { BatchAnswerJson, BatchJob } from '../client/client.ts';
import type { Context } from './context.ts';
import { CliFailure, EXIT } from './failure.ts';
import { print, tableOf } from './output.ts';

export function submitCommand(jobs: Command, contextOf: (command: Command) => Context): void {
  jobs
    .command('submit <file>')
    .description('ask for many at once: a list, in YAML or JSON; - reads it from a pipe')
    .addHelpText(
      'after',
      `
Each is created or refused by itself; exit code 1 if one was refused. In the file:
  - {operation: sync, target: avo, env: qas}
  - {operation: SET_STATUS, target: INCOME, releaseStatus: PENDING_RELEASE}

Example:
  syncrator jobs submit tonight.yaml`,
    )
    .action(async (file: string, _: object, command: Command) => {
      const { server, format } = contextOf(command);
      const items = itemsOf(await read(file), file);
      const { body } = await server.call<BatchAnswerJson>('POST', '/jobs', { json: { jobs: items } });
      const rows = body.map(({ status, msg, job_id: id }, at) => [
        status === 'CREATED'
          ? { text: String(id), look: 'green' as const }
          : { text: 'refused', look: 'red' as const },
        nameOf(items[at]),
        status === 'CREATED' ? '' : msg,
      ]);
      print(format, body, () => tableOf(['JOB', 'ASKED FOR', 'WHY NOT'], rows, 'the list is empty'));
      if (body.some(({ status }) => status === 'FAILED')) process.exitCode = EXIT.usage;
    });
}

/** @throws CliFailure */
async function read(file: string): Promise<string> {
  if (file === '-') return await text(process.stdin);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CliFailure(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The list itself, or what POST /jobs takes; its items are the server's to judge. @throws CliFailure */
function itemsOf(content: string, file: string): readonly unknown[] {
  try {
    const parsed: unknown = parse(content);
    const list: unknown =
      typeof parsed === 'object' && parsed !== null && 'jobs' in parsed ? parsed.jobs : parsed;
    if (Array.isArray(list)) return list;
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    throw new CliFailure(`${file}: ${error.message}`);
  }
  throw new CliFailure(`${file} is no list of jobs, such as - {operation: sync, target: avo, env: qas}`);
}

function nameOf(item: unknown): string {
  const { operation = '?', target = '?', env } = (item ?? {}) as Partial<BatchJob>;
  return `${operation} ${target}${env === undefined ? '' : ` in ${env}`}`;
}
