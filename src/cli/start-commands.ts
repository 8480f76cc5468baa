/** `sync`, `delta`, `delete`, `diff`, `rollback`, `run`: starts, and dry runs. */
import type { Command } from 'commander';
import type { DryRunJson, StartedJson } from '../client/client.ts';
import type { Context } from './context.ts';
import { CliFailure } from './failure.ts';
import { endWith, follow, tellEnd } from './follow.ts';
import { fieldsOf, print } from './output.ts';

type RunOptions = { action: string; actionName?: string; tag: string; options: string; query?: string };
type StartOptions = { dryRun?: true; follow?: true; wait?: true; detach?: true };

const ACTIONS = {
  sync: 'load everything anew and switch to it',
  delta: 'carry over what has changed',
  delete: 'remove what the source no longer has',
  diff: 'a delta, then a delete',
} as const;

export function startCommands(program: Command, contextOf: (command: Command) => Context): void {
  for (const [action, what] of Object.entries(ACTIONS))
    starting(program, action, what)
      .option('--dry-run', 'show what would run, and start nothing')
      .addHelpText('after', `\nExample:\n  syncrator ${action} avo qas --follow`)
      .action(async (target: string, env: string, options: StartOptions, command: Command) => {
        const context = contextOf(command);
        const route = `/${action}/${encodeURIComponent(target)}/${encodeURIComponent(env)}`;
        if (options.dryRun) return await dryRun(context, route);
        await start(context, route, options);
      });
  starting(program, 'rollback', 'switch back to what the last sync replaced')
    .addHelpText('after', '\nExample:\n  syncrator rollback avo qas --wait')
    .action(async (target: string, env: string, options: StartOptions, command: Command) => {
      const route = `/rollback/${encodeURIComponent(target)}/${encodeURIComponent(env)}`;
      await start(contextOf(command), route, options);
    });
}

/** What is in no params file: `POST /run` and `/dryrun`. */
export function runCommand(program: Command, contextOf: (command: Command) => Context): void {
  starting(program, 'run', 'start by parameters instead of a params file')
    .option('-a, --action <action>', 'what the program is asked to do', 'sync')
    .option('--action-name <name>', 'which params file gives the rest (default: the action)')
    .option('-t, --tag <tag>', 'the image tag', 'latest')
    .option('-o, --options <options>', "the program's own options, split at spaces", '')
    .option('-q, --query <query>', 'MAM_MAIN_QUERY')
    .option('--dry-run', 'show what would run, and start nothing')
    .addHelpText('after', "\nExample:\n  syncrator run avo qas --action delta --options '-n 1000 -c 1'")
    .action(async (target: string, env: string, options: StartOptions & RunOptions, command: Command) => {
      const { action, actionName, tag, query } = options;
      const body = {
        target,
        env,
        action,
        action_name: actionName ?? action,
        is_tag: tag,
        options: options.options,
        ...(query === undefined ? {} : { mam_main_query: query }),
      };
      const context = contextOf(command);
      if (options.dryRun) return await dryRun(context, '/dryrun', body);
      await start(context, '/run', options, body);
    });
}

function starting(program: Command, name: string, what: string): Command {
  return program
    .command(`${name} <target> <env>`)
    .description(what)
    .option('-f, --follow', 'show its progress until it ends (the default on a terminal)')
    .option('-w, --wait', 'wait for its end without a word; exit code 2 if it fails')
    .option('-d, --detach', 'tell its id and end at once (the default elsewhere)');
}

async function start(
  { server, format }: Context,
  route: string,
  options: StartOptions,
  json?: object,
): Promise<void> {
  const chosen = (['follow', 'wait', 'detach'] as const).filter((name) => options[name]);
  if (chosen.length > 1) throw new CliFailure(`--${chosen.join(' and --')} exclude each other`);
  const way = chosen[0] ?? (process.stdout.isTTY ? 'follow' : 'detach');
  const { body } = await server.call<StartedJson>('POST', route, json === undefined ? {} : { json });
  const { job_id: id, deduplicated } = body;
  if (way === 'detach') {
    const hint = deduplicated ? 'the same job is active already' : `watch it: syncrator jobs watch ${id}`;
    print(format, body, () => fieldsOf({ job: String(id), '': { text: hint, look: 'dim' } }));
    return;
  }
  const job = await follow(server, id, { quiet: way === 'wait' });
  print(format, job, () => tellEnd(job));
  endWith(job);
}

async function dryRun({ server, format }: Context, route: string, json?: object): Promise<void> {
  const { body } = json
    ? await server.call<DryRunJson>('POST', route, { json })
    : await server.call<DryRunJson>('GET', route);
  print(format, body, () =>
    fieldsOf({
      options: body.OPTIONS,
      tag: body.IS_TAG,
      ...Object.fromEntries(
        body.result.map(({ step, action, argv, manifest }) => [
          `step ${step + 1}`,
          argv
            ? argv.join(' ')
            : `${action}${manifest === undefined ? '' : ' (its manifest: --output yaml)'}`,
        ]),
      ),
      '': { text: 'nothing was started', look: 'dim' },
    }),
  );
}
