/** `audit`: lists who did what, from where and why, and which calls were rejected. */
import { type Command, InvalidArgumentError } from 'commander';
import type { AuditEntryJson } from '../client/client.ts';
import type { Context } from './context.ts';
import { type Cell, print, tableOf } from '../terminal/output.ts';
import { count } from './values.ts';

type Options = {
  readonly by?: string;
  readonly verb?: string;
  readonly object?: string;
  readonly since?: string;
  readonly until?: string;
  readonly refused?: true;
  readonly limit: number;
};

const HEADS = ['WHEN', 'WHO', 'WHAT', 'WHY', 'FROM'];

export function auditCommand(program: Command, contextOf: (command: Command) => Context): void {
  program
    .command('audit')
    .description('list who did what, from where and why, newest first; for admins')
    .option('-b, --by <principal>', 'by this user, token:<name> or oidc:<sub>')
    .option('--verb <verb>', 'only this verb: start, cancel, pause …')
    .option('--object <object>', "only on this object: 'job 7', or job for all jobs")
    .option('--since <time>', 'at or after this time: 2026-11-22 or 2026-11-22T10:00Z', timeOf)
    .option('--until <time>', 'before this time', timeOf)
    .option('--refused', 'only what was rejected')
    .option('-n, --limit <count>', 'entries to list, 1 to 100', count, 20)
    .addHelpText('after', "\nExample:\n  syncrator audit --by ada --object 'job 7'")
    .action(async ({ by, ...options }: Options, command: Command) => {
      const { server, format } = contextOf(command);
      const { entries } = await server.call((api) => api.listAudit({ principal: by, ...options }));
      print(format, entries, () => tableOf(HEADS, entries.map(rowOf), 'no entry matches'));
    });
}

function rowOf({ at, principal, verb, object, refused, reason, address }: AuditEntryJson): Cell[] {
  const what = `${verb} ${object}`;
  return [
    at,
    principal,
    refused === null ? what : { text: `${what}: rejected (${refused})`, look: 'yellow' },
    reason ?? '',
    address ?? '',
  ];
}

function timeOf(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    throw new InvalidArgumentError('not a valid time (expected e.g. 2026-11-22)');
  return time.toISOString();
}
