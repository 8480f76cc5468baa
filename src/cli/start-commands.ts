/** `sync`, `delta`, `delete`, `diff`, `run`: start a job, or show what would run. */
import type { Command } from 'commander';
import type { Action, Client, DryRunJson } from '../client/client.ts';
import type { Context } from './context.ts';
import { fieldsOf, print } from '../terminal/output.ts';
import { start, starting, type StartOptions } from './start.ts';

type RunOptions = { action: string; actionName?: string; tag: string; options: string; query?: string };
type DryRunOptions = { dryRun?: true; unpromoted?: true };

export const UNPROMOTED = 'start it although PROMOTE_FROM asks for a run that is missing; for admins';

const ACTIONS: readonly (readonly [Action, string])[] = [
  ['sync', "make the target equal to its source's present state"],
  ['delta', 'carry over the changes since the last run'],
  ['delete', "delete records that are gone from the target's source"],
  ['diff', 'run a delta, then a delete'],
];

export function startCommands(program: Command, contextOf: (command: Command) => Context): void {
  for (const [action, what] of ACTIONS)
    starting(program, action, what)
      .option('--dry-run', 'show what would run without starting it')
      .option('--unpromoted', UNPROMOTED)
      .addHelpText('after', `\nExample:\n  syncrator ${action} avo qas --follow`)
      .action(
        async (target: string, env: string, options: StartOptions & DryRunOptions, command: Command) => {
          const context = contextOf(command);
          if (options.dryRun) return await dryRun(context, (api) => api.dryRun(action, target, env));
          await start(context, options, (api) =>
            api.start(action, target, env, undefined, { unpromoted: options.unpromoted }),
          );
        },
      );
}

/** `run`: starts a job without a params file of its own. */
export function runCommand(program: Command, contextOf: (command: Command) => Context): void {
  starting(program, 'run', 'start a job by parameters instead of a params file')
    .option('-a, --action <action>', 'ACTION of the sync program', 'sync')
    .option('--action-name <name>', 'params file of the other parameters (default: the action)')
    .option('-t, --tag <tag>', 'image tag', 'latest')
    .option('-o, --options <options>', 'options of the sync program, split at spaces', '')
    .option('-q, --query <query>', 'MAM_MAIN_QUERY of the sync program')
    .option('--dry-run', 'show what would run without starting it')
    .option('--unpromoted', UNPROMOTED)
    .addHelpText('after', "\nExample:\n  syncrator run avo qas --action delta --options '-n 1000 -c 1'")
    .action(
      async (
        target: string,
        env: string,
        options: StartOptions & DryRunOptions & RunOptions,
        command: Command,
      ) => {
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
        if (options.dryRun) return await dryRun(context, (api) => api.dryRunOf(body));
        await start(context, options, (api) => api.run(body, undefined, { unpromoted: options.unpromoted }));
      },
    );
}

async function dryRun({ server, format }: Context, ask: (api: Client) => Promise<DryRunJson>): Promise<void> {
  const answer = await server.call(ask);
  print(format, answer, () =>
    fieldsOf({
      options: answer.OPTIONS,
      tag: answer.IS_TAG,
      ...Object.fromEntries(
        answer.result.map(({ step, action, argv, manifest }) => [
          `step ${step + 1}`,
          argv ? argv.join(' ') : `${action}${manifest === undefined ? '' : ' (manifest: --output yaml)'}`,
        ]),
      ),
      '': { text: 'nothing was started', look: 'dim' },
    }),
  );
}
