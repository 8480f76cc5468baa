/** Parses the command line of the sync program and prints its help. */
import { Argument, Command, CommanderError, InvalidArgumentError } from 'commander';

export const ACTIONS = [
  'sync',
  'delta',
  'delete',
  'remove',
  'rollback',
  'take-over',
  'forget-record',
] as const;
export type Action = (typeof ACTIONS)[number];

export type JobArguments = {
  readonly action: Action;
  /** Records per transaction. */
  readonly batchSize: number;
  /** Batches written at once. */
  readonly concurrency: number;
  readonly debug: boolean;
  readonly forceDelete: boolean;
  /** For sync and delta: applies more additions and updates than BASELINE=hold finds usual. */
  readonly acceptJump: boolean;
  /** Ids that a delta is limited to; empty: every changed item. */
  readonly items: readonly string[];
  /** For SINK=solr: allows a sync to empty the standby and switch the aliases. */
  readonly switchSolrAlias: boolean;
  /** The environment that the alias switch is meant for; null: not given. */
  readonly targetEnv: string | null;
  /** The Solr application whose aliases may switch; null: not given. */
  readonly target: string | null;
  /** For rollback: uid or number of the job to undo, with all later jobs; null: the last sync. */
  readonly before: string | null;
  /** For rollback: report the effect and change nothing. */
  readonly preview: boolean;
  /** For rollback: the digest of a preview; the rollback runs only if its effect is still the same. */
  readonly expect: string | null;
  /** For rollback: limits it to these records; empty: no such limit. For forget-record: the records. */
  readonly ids: readonly string[];
  /** For rollback: limits it to the records that the job `before` changed. */
  readonly only: boolean;
  /** For remove: uuid of the approval that names the records. */
  readonly approval: string | null;
  /** null: a run without a job, which the fence never refuses for its age. */
  readonly jobId: number | null;
};

export type ParsedArguments =
  | { readonly kind: 'run'; readonly arguments: JobArguments }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'usage'; readonly text: string };

const HELP = `
Actions:
  sync       load all records beside the live data, then apply the difference; the old records are kept for a rollback
             (SOURCE=gitlab: update every item to its latest revision, in place)
  delta      write the records that changed since the last watermark
  delete     remove records that the source no longer has, once its listing is proven complete
  remove     remove records that wait for an answer and that an approval names (--approval), unless the source has them again
  rollback   restore the data from before the last sync, or from before another job (--before)
  take-over  make this installation, target and environment the owner of the sink
  forget-record  erase the earlier values of records (--id) from the history; live records stay

Without a job:
  check [--json]  with the options of a sync: test source and sink, show five records, say what a sync would do; writes nothing
  connector       with SOURCE=connector: its config's form, whether its check succeeds, and its streams, as JSON

Environment:
  SOURCE=ndjson  SOURCE_URL or SOURCE_FILE    the source of the records
  SOURCE=connector  CONNECTOR  CONNECTOR_CONFIG  CONNECTOR_STREAM   a stream of an Airbyte connector or Singer tap
  SOURCE=gitlab  GITLAB_URL  GITLAB_TOKEN  GITLAB_GROUP   the items of a group, one project each; needs SINK=postgres
    GITLAB_ITEM_FILE (item.json)  GITLAB_IGNORE (project ids)  GITLAB_TIMEOUT (30 seconds)
    GITLAB_WEBHOOK_URL and GITLAB_HOOK_SECRET  webhook that each project calls on a push
  SINK=postgres  SINK_URL  SINK_TABLE ([schema.]table)   the table that records are written to
    SINK_STATE_SCHEMA (syncrator)  KEEP_CHANGES (30d)  KEEP_CHANGES_SIZE   schema and retention of the rollback data
    SINK_COLUMNS (name text, ...)  SINK_RECORD (true)  SINK_DROP_COLUMNS   columns that hold fields; those that may go
  SINK=solr  SOLR_URL  [SOLR_APP]             the alias <app>, loaded through <app>-standby
    KEEP_CHANGES (30d)                        retention of copies of removed records, also with SINK=opensearch
  SOURCE=rest    ACCOUNT_API_URL  API_TOKEN (or API_USER  API_PASSWORD)
                                              one account's records, into SINK=postgres  SINK_URL  SINK_SCHEMA
  SYNCRATOR_SETTINGS_FILE                     a file of KEY=value lines; it overrides the environment
  SYNCRATOR_MAX_DELETE_PERCENT (10)  SYNCRATOR_MAX_DELETE_RECORDS (5)  SYNCRATOR_MAX_UPDATE_PERCENT (no limit)
                                              limits of removals (lifted by --force-delete) and of updates; with
                                              SINK=postgres, removals above them wait for an answer
  FIELDS                                      changes of the records' fields: rename a=b, drop a, set a=value, hash a
    FIELDS_HASH_KEY or FIELDS_HASH_KEY_FILE   the secret of the hashes
  BASELINE (watch)                            off, watch or hold: unusual counts warn; hold lets removals wait, stops a jump
  MAX_REJECTED (0)                            bad records that are set aside before the run fails
  WATERMARK_MARGIN (1h)                       a delta reads from this long before the last read, to catch late writes
  SOURCE_FILE_COMPLETE=true                   the writer of SOURCE_FILE renames it into place once it is complete
  SYNCRATOR_REPORT_URL  SYNCRATOR_REPORT_TOKEN  receiver of progress reports; without them nothing is reported
  TRACEPARENT                                 W3C trace context; its trace id ends every log line
  SYNCRATOR_CHECKPOINT                        the last checkpoint of an earlier attempt, to resume from

Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 delete guard, 4 not configured, 5 report refused,
  6 fenced by a newer job, 7 nothing to roll back, 8 source unreachable, 9 source silent,
  10 source refuses our credentials, 11 some items failed, 12 listing not proven complete,
  13 sink unreachable, 14 sink read-only, 15 sink permission, 16 sink busy, 17 sink owned by another,
  18 sink replaced, 19 sink alters what is written, 20 too many bad records, 21 update guard,
  22 the rollback's preview no longer holds, 23 unusual jump, 143 terminated

Example:
  SOURCE=ndjson SOURCE_URL=http://127.0.0.1:8080/records SINK=postgres \\
  SINK_URL=postgres://localhost/demo SINK_TABLE=cities node src/job/main.ts sync -n 1000`;

/** Parses the arguments; never exits and never prints. A wrong argument yields kind `usage`, whose text names it. */
export function parseArguments(argv: readonly string[]): ParsedArguments {
  const strange = argv.find((argument) => /\p{Cc}/u.test(argument));
  if (strange !== undefined) {
    return {
      kind: 'usage',
      text: `error: control characters in argument ${JSON.stringify(strange)}; remove them`,
    };
  }
  let output = '';
  const command = createCommand((text) => void (output += text));
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === 'commander.helpDisplayed') return { kind: 'help', text: output };
    return { kind: 'usage', text: `${output.trim()}\ntry: syncrator-job --help` };
  }
  const action = command.args[0] as Action;
  const options = command.opts<Options>();
  const misplaced = misplacedOption(action, options);
  if (misplaced !== undefined) return { kind: 'usage', text: `error: ${misplaced}` };
  return { kind: 'run', arguments: toJobArguments(action, options) };
}

/** `check`, with the options of the sync that it foretells. */
export function parseCheck([, ...options]: readonly string[]): ParsedArguments {
  return parseArguments(['sync', ...options.filter((option) => option !== '--json')]);
}

type Options = {
  n: number;
  c: number;
  debug: boolean;
  forceDelete: boolean;
  acceptJump: boolean;
  item: string[];
  switch_solr_alias: boolean;
  before?: string;
  preview: boolean;
  expect?: string;
  id: string[];
  only: boolean;
  approval?: string;
  target_env?: string;
  target?: string;
  api_job_id?: number;
};

function createCommand(write: (text: string) => void): Command {
  return new Command('syncrator-job')
    .description('Synchronises a sink with a source.')
    .addArgument(new Argument('<action>', 'the action to run').choices(ACTIONS))
    .option('-n <records>', 'records per batch; each batch is one transaction', wholeNumber(1, 100_000), 1000)
    .option('-c <batches>', 'batches written concurrently', wholeNumber(1, 32), 1)
    .option('--debug', 'write more log lines', false)
    .option('--force-delete', 'lift the delete limits (an empty source is still refused)', false)
    .option(
      '--accept-jump',
      'with BASELINE=hold: apply additions and updates although they are unusually many',
      false,
    )
    .option('--item <id>', 'limit a delta of SOURCE=gitlab to this item; may be repeated', oneMoreItem, [])
    .option(
      '--switch_solr_alias',
      'required for a sync with SINK=solr: empty the standby, load it, switch the aliases',
      false,
    )
    .option('--before <job>', 'for rollback: uid of the job to undo, with all later jobs', jobName)
    .option('--preview', 'for rollback: report the effect and change nothing', false)
    .option('--expect <digest>', 'for rollback: run only if the effect is still that of this preview', digest)
    .option(
      '--id <record>',
      'for rollback and forget-record: only this record (its id, percent-encoded); may be repeated',
      oneMoreRecord,
      [],
    )
    .option('--only', 'for rollback: restore only the records that the job of --before changed', false)
    .option('--approval <uuid>', 'for remove: the approval, whose ids the api tells', uuid)
    .option('--target_env <env>', 'with --switch_solr_alias: the environment of the aliases', lowerCaseName)
    .option(
      '--target <app>',
      'with --switch_solr_alias: the application, which is the name of its alias',
      lowerCaseName,
    )
    .option(
      '--api_job_id <id>',
      'number of the job that this run belongs to',
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
    )
    .addHelpText('after', HELP)
    .configureOutput({ writeOut: write, writeErr: write })
    .exitOverride();
}

/** An option that does not apply to the action. */
function misplacedOption(
  action: Action,
  { item, before, preview, expect, approval, id, only }: Options,
): string | undefined {
  if (item.length > 0 && action !== 'delta') return `--item goes with delta, not with ${action}`;
  if (action === 'remove' && approval === undefined)
    return 'remove needs --approval: approve a loss, which starts it (syncrator losses)';
  if (action !== 'remove' && approval !== undefined) return `--approval goes with remove, not with ${action}`;
  if (only && id.length > 0) return '--id and --only exclude each other';
  if (action === 'forget-record' && id.length === 0) return 'forget-record needs --id';
  const ofRollback = [before !== undefined, preview, expect !== undefined, only];
  if (action !== 'forget-record') ofRollback.push(id.length > 0);
  if (action === 'rollback' || !ofRollback.includes(true)) return undefined;
  return `--before, --preview, --expect, --id and --only go with rollback, not with ${action}`;
}

function toJobArguments(action: Action, options: Options): JobArguments {
  return {
    action,
    batchSize: options.n,
    concurrency: options.c,
    debug: options.debug,
    forceDelete: options.forceDelete,
    acceptJump: options.acceptJump,
    items: [...new Set(options.item)],
    switchSolrAlias: options.switch_solr_alias,
    targetEnv: options.target_env ?? null,
    target: options.target ?? null,
    before: options.before ?? null,
    preview: options.preview,
    expect: options.expect ?? null,
    ids: [...new Set(options.id)],
    only: options.only,
    approval: options.approval ?? null,
    jobId: options.api_job_id ?? null,
  };
}

function oneMoreItem(text: string, before: string[]): string[] {
  if (!/^[1-9]\d{0,15}$/.test(text)) throw new InvalidArgumentError('expected a number');
  return [...before, text];
}

function oneMoreRecord(text: string, before: string[]): string[] {
  try {
    return [...before, decodeURIComponent(text)];
  } catch {
    throw new InvalidArgumentError('expected an id, percent-encoded');
  }
}

function jobName(text: string): string {
  if (/^([0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}|[1-9]\d{0,15})$/.test(text)) return text;
  throw new InvalidArgumentError("expected a job's uid or number");
}

function uuid(text: string): string {
  if (/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/.test(text)) return text;
  throw new InvalidArgumentError('expected a uuid');
}

function digest(text: string): string {
  if (/^[0-9a-f]{16,64}$/.test(text)) return text;
  throw new InvalidArgumentError('expected the digest of a preview');
}

/** The same pattern as in src/domain/options.ts. */
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
