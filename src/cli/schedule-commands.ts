/** `schedules`: list, show, run now, pause, resume. */
import type { Command } from 'commander';
import type { SchedulesJson } from '../client/client.ts';
import { needsBothDays } from '../domain/cron.ts';
import { didYouMean } from '../domain/closest-match.ts';
import type { Context } from './context.ts';
import { CliFailure } from '../terminal/failure.ts';
import { endWith, follow, summaryOf } from './follow.ts';
import { fieldsOf, print, tableOf } from '../terminal/output.ts';
import type { Server } from './remote.ts';

type Schedule = SchedulesJson['schedules'][number];

export function scheduleCommands(program: Command, contextOf: (command: Command) => Context): void {
  const schedules = program
    .command('schedules')
    .description('list, run, pause and resume schedules')
    .addHelpText('after', '\nExample:\n  syncrator schedules pause qas.avo.sync');
  schedules
    .command('list', { isDefault: true })
    .description('list all schedules with their next firing')
    .addHelpText('after', '\nExample:\n  syncrator schedules list --output json')
    .action(async (_: object, command: Command) => {
      const { server, format } = contextOf(command);
      const all = await read(server);
      const rows = all.map((one) => [
        one.id,
        one.schedule,
        one.timezone,
        stateOf(one),
        one.next?.[0] === undefined ? '' : local(one.next[0], one.timezone),
        one.last_firings[0]?.outcome ?? '',
      ]);
      const heads = ['ID', 'SCHEDULE', 'ZONE', 'STATE', 'NEXT', 'LAST FIRING'];
      print(format, all, () => tableOf(heads, rows, 'no params file sets SCHEDULE'));
    });
  schedules
    .command('show <id>')
    .description('show a schedule: its next firings, and the outcome of the last ones')
    .addHelpText('after', '\nExample:\n  syncrator schedules show qas.avo.sync')
    .action(async (id: string, _: object, command: Command) => {
      const { server, format } = contextOf(command);
      const one = await find(server, id);
      print(format, one, () => describe(one));
    });
  runCommand(schedules, contextOf);
  pauseCommand(schedules, contextOf);
  resumeCommand(schedules, contextOf);
}

function runCommand(schedules: Command, contextOf: (command: Command) => Context): void {
  schedules
    .command('run <id>')
    .description('start the job of a schedule now')
    .option('-f, --follow', 'show progress until the job ends; exit code 2 if it fails')
    .addHelpText('after', '\nExample:\n  syncrator schedules run qas.avo.sync --follow')
    .action(async (id: string, options: { follow?: true }, command: Command) => {
      const { server, format } = contextOf(command);
      const started = await server.call((api) => api.runSchedule(id));
      if (options.follow) {
        const job = await follow(server, started.id);
        print(format, job, () => summaryOf(job));
        return endWith(job);
      }
      const hint = { text: `watch it: syncrator jobs watch ${started.id}`, look: 'dim' } as const;
      print(format, started, () => fieldsOf({ job: String(started.id), '': hint }));
    });
}

function pauseCommand(schedules: Command, contextOf: (command: Command) => Context): void {
  schedules
    .command('pause <id>')
    .description('pause a schedule')
    .option('--note <text>', 'reason, shown with the schedule')
    .addHelpText('after', "\nExample:\n  syncrator schedules pause qas.avo.sync --note 'Solr upgrade'")
    .action(async (id: string, { note }: { note?: string }, command: Command) => {
      const { server, format } = contextOf(command);
      const state = await server.call((api) => api.pauseSchedule(id, note));
      print(format, state, () => `${id} is paused`);
    });
}

function resumeCommand(schedules: Command, contextOf: (command: Command) => Context): void {
  schedules
    .command('resume <id>')
    .description('resume a paused schedule')
    .addHelpText('after', '\nExample:\n  syncrator schedules resume qas.avo.sync')
    .action(async (id: string, _: object, command: Command) => {
      const { server, format } = contextOf(command);
      const state = await server.call((api) => api.resumeSchedule(id));
      print(format, state, () => `${id} is resumed`);
    });
}

async function read(server: Server): Promise<readonly Schedule[]> {
  return (await server.call((api) => api.listSchedules())).schedules;
}

/** @throws CliFailure with the closest ids */
async function find(server: Server, id: string): Promise<Schedule> {
  const all = await read(server);
  const found = all.find((one) => one.id === id);
  if (found) return found;
  const known = all.map((one) => one.id);
  throw new CliFailure(`no schedule '${id}'${didYouMean(id, known)}`);
}

function describe(one: Schedule): string {
  return fieldsOf({
    schedule: one.id,
    starts: `${one.action} of ${one.target} in ${one.env}`,
    when: `${one.schedule} (${one.timezone})${needsBothDays(one.schedule) ? '; day of month and day of week must both match' : ''}`,
    state: stateOf(one),
    ...(one.refused ? { rejected: one.refused } : {}),
    note: one.note,
    next: one.next?.map((time) => local(time, one.timezone)).join('\n') || 'unknown',
    'last firings':
      one.last_firings
        .map(({ nominal_time: time, outcome }) => `${local(time, one.timezone)}  ${outcome}`)
        .join('\n') || 'none yet',
  });
}

function stateOf({ paused, refused }: Schedule) {
  if (refused) return { text: 'rejected', look: 'red' } as const;
  if (paused === null) return { text: 'unknown: Temporal is unreachable', look: 'red' } as const;
  return paused ? ({ text: 'paused', look: 'yellow' } as const) : ({ text: 'on', look: 'green' } as const);
}

/** Local time in the schedule's time zone. */
function local(time: string, timeZone: string): string {
  return new Date(time).toLocaleString('sv-SE', { timeZone, timeZoneName: 'shortOffset' });
}
