/** `schedules`: what runs by itself; show, run now, pause, resume. */
import type { Command } from 'commander';
import type { JobJson } from '../api/job-schema.ts';
import type { SchedulesJson } from '../client/client.ts';
import { nearest } from '../domain/near.ts';
import type { Context } from './context.ts';
import { CliFailure } from './failure.ts';
import { endWith, follow, tellEnd } from './follow.ts';
import { fieldsOf, print, tableOf } from './output.ts';
import type { Server } from './remote.ts';

type Schedule = SchedulesJson['schedules'][number];

export function scheduleCommands(program: Command, contextOf: (command: Command) => Context): void {
  const schedules = program
    .command('schedules')
    .description('what runs by itself')
    .addHelpText('after', '\nExample:\n  syncrator schedules pause qas.avo.sync');
  schedules
    .command('list', { isDefault: true })
    .description('all schedules with their next firing')
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
      print(format, all, () => tableOf(heads, rows, 'no params file has a SCHEDULE'));
    });
  schedules
    .command('show <id>')
    .description('one schedule: its next firings and what became of the last ones')
    .addHelpText('after', '\nExample:\n  syncrator schedules show qas.avo.sync')
    .action(async (id: string, _: object, command: Command) => {
      const { server, format } = contextOf(command);
      const one = await find(server, id);
      print(format, one, () => describe(one));
    });
  schedules
    .command('run <id>')
    .description('start its job now')
    .option('-f, --follow', 'show its progress until it ends; exit code 2 if it fails')
    .addHelpText('after', '\nExample:\n  syncrator schedules run qas.avo.sync --follow')
    .action(async (id: string, options: { follow?: true }, command: Command) => {
      const { server, format } = contextOf(command);
      const { body } = await server.call<JobJson>('POST', `/schedules/${encodeURIComponent(id)}/run`);
      if (options.follow) {
        const job = await follow(server, body.id);
        print(format, job, () => tellEnd(job));
        return endWith(job);
      }
      const hint = { text: `watch it: syncrator jobs watch ${body.id}`, look: 'dim' } as const;
      print(format, body, () => fieldsOf({ job: String(body.id), '': hint }));
    });
  schedules
    .command('pause <id>')
    .description('let it not fire')
    .option('--note <text>', 'why; shown with the schedule')
    .addHelpText('after', "\nExample:\n  syncrator schedules pause qas.avo.sync --note 'Solr upgrade'")
    .action(async (id: string, { note }: { note?: string }, command: Command) => {
      const { server, format } = contextOf(command);
      const route = `/schedules/${encodeURIComponent(id)}/pause`;
      const { body } = await server.call<object>('POST', route, note === undefined ? {} : { json: { note } });
      print(format, body, () => `${id} is paused`);
    });
  schedules
    .command('resume <id>')
    .description('let it fire again')
    .addHelpText('after', '\nExample:\n  syncrator schedules resume qas.avo.sync')
    .action(async (id: string, _: object, command: Command) => {
      const { server, format } = contextOf(command);
      const { body } = await server.call<object>('POST', `/schedules/${encodeURIComponent(id)}/resume`);
      print(format, body, () => `${id} fires again`);
    });
}

async function read(server: Server): Promise<readonly Schedule[]> {
  return (await server.call<SchedulesJson>('GET', '/schedules')).body.schedules;
}

/** @throws CliFailure naming what may have been meant */
async function find(server: Server, id: string): Promise<Schedule> {
  const all = await read(server);
  const found = all.find((one) => one.id === id);
  if (found) return found;
  const near = nearest(
    id,
    all.map((one) => one.id),
  );
  const meant = near.length > 0 ? `; did you mean ${near.join(' or ')}?` : '';
  throw new CliFailure(`there is no schedule '${id}'${meant}`);
}

function describe(one: Schedule): string {
  return fieldsOf({
    schedule: one.id,
    starts: `${one.action} of ${one.target} in ${one.env}`,
    when: `${one.schedule} (${one.timezone})`,
    state: stateOf(one),
    note: one.note,
    next: one.next?.map((time) => local(time, one.timezone)).join('\n') || 'not known',
    'last firings':
      one.last_firings
        .map(({ nominal_time: time, outcome }) => `${local(time, one.timezone)}  ${outcome}`)
        .join('\n') || 'none yet',
  });
}

function stateOf({ paused }: Schedule) {
  if (paused === null) return { text: 'unknown: Temporal is away', look: 'red' } as const;
  return paused ? ({ text: 'paused', look: 'yellow' } as const) : ({ text: 'on', look: 'green' } as const);
}

/** By the clocks of the schedule's zone. */
function local(time: string, timeZone: string): string {
  return new Date(time).toLocaleString('sv-SE', { timeZone, timeZoneName: 'shortOffset' });
}
