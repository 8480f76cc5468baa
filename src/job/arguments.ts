/** Owns the command line of the sync program: what may be said, and the help that teaches it. Reads nothing else. */

import { Argument, Command, CommanderError, InvalidArgumentError } from 'commander';

export const ACTIONS = ['sync', 'delta', 'delete', 'rollback'] as const;
export type Action = (typeof ACTIONS)[number];

export type JobArguments = {
  readonly action: Action;
  /** Records per transaction. */
  readonly batchSize: number;
  /** Batches written at once. */
  readonly lanes: number;
  readonly debug: boolean;
  readonly forceDelete: boolean;
  /** Ids that a delta is about; none: all that changed. */
  readonly items: readonly string[];
  /** For SINK=solr: whose aliases a sync may switch; null where it is not said. */
  readonly switchSolrAlias: boolean;
  readonly targetEnv: string | null;
  readonly target: string | null;
  /** null: a stand-alone run, which no fence protects. */
  readonly jobId: number | null;
};

export type ParsedArguments =
  | { readonly kind: 'run'; readonly arguments: JobArguments }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'usage'; readonly text: string };

const HELP = `
Actions:
  sync       load everything beside the live data, verify it, then switch; the old data are kept for rollback
             (SOURCE=gitlab: bring every item to its latest revision, in place)
  delta      write what changed since the last watermark
  delete     remove what the source no longer has
  rollback   switch back to the data before the last sync

Environment:
  SOURCE=ndjson  SOURCE_URL or SOURCE_FILE    where records come from
  SOURCE=gitlab  GITLAB_URL  GITLAB_TOKEN  GITLAB_GROUP   the items of a group, one project each; SINK=postgres
    GITLAB_ITEM_FILE (item.json)  GITLAB_IGNORE (project ids)  GITLAB_TIMEOUT (30 seconds)
    GITLAB_WEBHOOK_URL and GITLAB_HOOK_SECRET  where each project shall tell of its pushes
  SINK=postgres  SINK_URL  SINK_TABLE         where they go
  SINK=solr  SOLR_URL  [SOLR_APP]             or there: the alias <app>, loaded through <app>-standby
  SOURCE=rest    ACCOUNT_API_URL  API_TOKEN (or API_USER  API_PASSWORD)
                                              one account's records, into SINK=postgres  SINK_URL  SINK_SCHEMA
  SYNCRATOR_SETTINGS_FILE                     a file of KEY=value lines with these settings; it wins
  SYNCRATOR_MAX_DELETE_PERCENT                how much may disappear without --force-delete (default 10)
  SYNCRATOR_REPORT_URL  SYNCRATOR_REPORT_TOKEN  where progress is reported; without them none is
  TRACEPARENT                                 the W3C trace that every line ends with
  SYNCRATOR_CHECKPOINT                        the last checkpoint of an earlier attempt, to go on from

Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 delete guard, 4 not configured, 5 report refused,
  6 fenced by a newer job, 7 nothing to roll back, 8 source unreachable, 9 source silent,
  10 source refuses our credentials, 11 some items failed, 143 terminated

Example:
  SOURCE=ndjson SOURCE_URL=http://127.0.0.1:8080/records SINK=postgres \\
  SINK_URL=postgres://localhost/demo SINK_TABLE=cities node src/job/main.ts sync -n 1000`;

/** Reads the arguments; never exits and never prints. A wrong one gives a line that names it. */
export function parseArguments(argv: readonly string[]): ParsedArguments {
  const strange = argv.find((argument) => /\p{Cc}/u.test(argument));
  if (strange !== undefined) {
    return { kind: 'usage', text: `error: control characters in argument ${JSON.stringify(strange)}` };
  }
  let output = '';
  const write = (text: string): void => void (output += text);
  const command = new Command('syncrator-job')
    .description('Keeps a sink in step with a source.')
    .addArgument(new Argument('<action>', 'what to do').choices(ACTIONS))
    .option('-n <records>', 'records per batch, each a transaction', wholeNumber(1, 100_000), 1000)
    .option('-c <batches>', 'batches written at once', wholeNumber(1, 32), 1)
    .option('--debug', 'write more log lines', false)
    .option('--force-delete', 'lift MAX_DELETE_PERCENT (an empty source is refused all the same)', false)
    .option('--item <id>', 'bring this item alone; may be repeated (delta of SOURCE=gitlab)', oneMoreItem, [])
    .option(
      '--switch_solr_alias',
      'for a sync with SINK=solr: empty the standby, load it, switch the aliases',
      false,
    )
    .option('--target_env <env>', 'with it: the environment the switch is meant for', lowerCaseName)
    .option('--target <app>', 'with it: the application, as its alias is named', lowerCaseName)
    .option('--api_job_id <id>', 'the job this run belongs to', wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .addHelpText('after', HELP)
    .configureOutput({ writeOut: write, writeErr: write })
    .exitOverride();
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed') return { kind: 'help', text: output };
    return { kind: 'usage', text: `${output.trim()}\ntry: syncrator-job --help` };
  }
  const action = command.args[0] as Action;
  const options = command.opts<{
    n: number;
    c: number;
    debug: boolean;
    forceDelete: boolean;
    item: string[];
    switch_solr_alias: boolean;
    target_env?: string;
    target?: string;
    api_job_id?: number;
  }>();
  if (options.item.length > 0 && action !== 'delta') {
    return { kind: 'usage', text: `error: --item goes with delta, not with ${action}` };
  }
  return {
    kind: 'run',
    arguments: {
      action,
      batchSize: options.n,
      lanes: options.c,
      debug: options.debug,
      forceDelete: options.forceDelete,
      items: [...new Set(options.item)],
      switchSolrAlias: options.switch_solr_alias,
      targetEnv: options.target_env ?? null,
      target: options.target ?? null,
      jobId: options.api_job_id ?? null,
    },
  };
}

function oneMoreItem(text: string, before: string[]): string[] {
  if (!/^[1-9]\d{0,15}$/.test(text)) throw new InvalidArgumentError('expected a number');
  return [...before, text];
}

/** As src/domain/options.ts takes it. */
function lowerCaseName(text: string): string {
  if (/^[a-z0-9][-_a-z0-9]{0,39}$/.test(text)) return text;
  throw new InvalidArgumentError('expected at most 40 of a-z, 0-9, - and _');
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`);
  };
}
