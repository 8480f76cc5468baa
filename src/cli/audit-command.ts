/** `audit`: who did what, from where and why, and what was refused. */
import { type Command, InvalidArgumentError } from 'commander';
import type { AuditEntryJson } from '../client/client.ts';
import type { Context } from './context.ts';
import { type Cell, print, tableOf } from './output.ts';
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
    .description('who did what, from where and why, newest first; for admins')
    .option('-b, --by <principal>', 'only of this user, token:<name> or oidc:<sub>')
    .option('--verb <verb>', 'only this: start, cancel, pause …')
    .option('--object <object>', "only upon this: 'job 7', or job for all of them")
    .option('--since <time>', 'at or after, such as 2026-11-22T00:00:00Z or 2026-11-22', timeOf)
    .option('--until <time>', 'before', timeOf)
    .option('--refused', 'only what was refused')
    .option('-n, --limit <count>', 'how many, 1 to 100', count, 20)
    .addHelpText('after', "\nExample:\n  syncrator audit --by ada --object 'job 7'")
    .action(async ({ by, ...options }: Options, command: Command) => {
      const { server, format } = contextOf(command);
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries({ principal: by, ...options }))
        if (value !== undefined) query.set(name, String(value));
      const { body } = await server.call<AuditEntryJson[]>('GET', `/audit?${query.toString()}`);
      print(format, body, () => tableOf(HEADS, body.map(rowOf), 'nothing of the kind'));
    });
}

function rowOf({ at, principal, verb, object, refused, reason, address }: AuditEntryJson): Cell[] {
  const what = `${verb} ${object}`;
  return [
    at,
    principal,
    refused === null ? what : { text: `${what}: refused (${refused})`, look: 'yellow' },
    reason ?? '',
    address ?? '',
  ];
}

function timeOf(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) throw new InvalidArgumentError('It is no time.');
  return time.toISOString();
}
