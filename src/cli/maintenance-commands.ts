/** `maintenance`: hold back what has not begun, and go on. */
import type { Command } from 'commander';
import type { MaintenanceEntryJson, MaintenanceJson } from '../client/client.ts';
import type { Context } from './context.ts';
import { fieldsOf, print, tableOf } from './output.ts';

const LOOKS = { RUNNING: 'green', PAUSING: 'yellow', PAUSED: 'yellow' } as const;

export function maintenanceCommands(program: Command, contextOf: (command: Command) => Context): void {
  const maintenance = program
    .command('maintenance')
    .description('hold back what has not begun, and go on')
    .addHelpText('after', '\nExample:\n  syncrator maintenance on Solr upgrade');
  maintenance
    .command('status', { isDefault: true })
    .description('is it paused, and what still runs?')
    .addHelpText('after', '\nExample:\n  syncrator maintenance status')
    .action(async (_: object, command: Command) => {
      const { server, format } = contextOf(command);
      const { body } = await server.call<MaintenanceJson>('GET', '/maintenance-status');
      print(format, body, () => describe(body));
    });
  for (const [name, paused, what] of [
    ['on', true, 'start nothing more; what runs goes on'],
    ['off', false, 'go on with what was held back'],
  ] as const)
    maintenance
      .command(`${name} <message...>`)
      .description(what)
      .addHelpText('after', `\nExample:\n  syncrator maintenance ${name} Solr upgrade`)
      .action(async (words: string[], _: object, command: Command) => {
        const { server, format } = contextOf(command);
        const json = { msg: words.join(' '), paused };
        const { body } = await server.call<MaintenanceJson>('POST', '/maintenance-status', { json });
        print(format, body, () => describe(body));
      });
  maintenance
    .command('history')
    .description('who paused and resumed, newest first')
    .addHelpText('after', '\nExample:\n  syncrator maintenance history')
    .action(async (_: object, command: Command) => {
      const { server, format } = contextOf(command);
      const { body } = await server.call<MaintenanceEntryJson[]>('GET', '/maintenance-history');
      const rows = body.map((entry) => [
        entry.timestamp,
        entry.paused ? 'paused' : 'resumed',
        entry.set_by,
        entry.msg,
      ]);
      print(format, body, () => tableOf(['WHEN', 'WHAT', 'BY', 'MESSAGE'], rows, 'nothing yet'));
    });
}

function describe(status: MaintenanceJson): string {
  return fieldsOf({
    engine: { text: status.engine, look: LOOKS[status.engine] },
    message: status.msg,
    'running jobs': String(status.running_jobs),
    since: `${status.timestamp}, by ${status.set_by}`,
  });
}
