/** `maintenance`: holds back new jobs and releases them. */
import type { Command } from 'commander';
import type { MaintenanceJson } from '../client/client.ts';
import type { Context } from './context.ts';
import { fieldsOf, print, tableOf } from '../terminal/output.ts';

const LOOKS = { RUNNING: 'green', PAUSING: 'yellow', PAUSED: 'yellow' } as const;

export function maintenanceCommands(program: Command, contextOf: (command: Command) => Context): void {
  const maintenance = program
    .command('maintenance')
    .description('hold back new jobs, or release them')
    .addHelpText('after', '\nExample:\n  syncrator maintenance on Solr upgrade');
  maintenance
    .command('status', { isDefault: true })
    .description('show whether jobs are held back and how many still run')
    .addHelpText('after', '\nExample:\n  syncrator maintenance status')
    .action(async (_: object, command: Command) => {
      const { server, format } = contextOf(command);
      const status = await server.call((api) => api.readMaintenance());
      print(format, status, () => describe(status));
    });
  for (const [name, paused, what] of [
    ['on', true, 'hold back new jobs; running jobs continue'],
    ['off', false, 'release the jobs that were held back'],
  ] as const)
    maintenance
      .command(`${name} <message...>`)
      .description(what)
      .addHelpText('after', `\nExample:\n  syncrator maintenance ${name} Solr upgrade`)
      .action(async (words: string[], _: object, command: Command) => {
        const { server, format } = contextOf(command);
        const status = await server.call((api) => api.setMaintenance(paused, words.join(' ')));
        print(format, status, () => describe(status));
      });
  maintenance
    .command('history')
    .description('list who switched it on and off, newest first')
    .addHelpText('after', '\nExample:\n  syncrator maintenance history')
    .action(async (_: object, command: Command) => {
      const { server, format } = contextOf(command);
      const entries = await server.call((api) => api.listMaintenance());
      const rows = entries.map((entry) => [
        entry.timestamp,
        entry.paused ? 'paused' : 'resumed',
        entry.set_by,
        entry.msg,
      ]);
      print(format, entries, () =>
        tableOf(['WHEN', 'WHAT', 'BY', 'MESSAGE'], rows, 'maintenance was never used'),
      );
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
