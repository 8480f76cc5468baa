/** Parses the command line of the sync program and prints its help. */
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { APPLY, PLAN, PLANNABLE, type Plannable } from '../domain/action.ts';
import { HELP } from './help.ts';

export const ACTIONS = [
  'sync',
  'delta',
  'delete',
  'remove',
  'rollback',
  'take-over',
  'forget-record',
  'story',
  PLAN,
  APPLY,
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
  /** For rollback: limits it to these records; empty: no such limit. For forget-record and story: the records. */
  readonly ids: readonly string[];
  /** For rollback: limits it to the records that the job `before` changed. */
  readonly only: boolean;
  /** For remove: uuid of the approval that names the records. */
  readonly approval: string | null;
  /** For plan: the planned action. */
  readonly of: Plannable | null;
  /** For apply: uid of the plan. */
  readonly plan: string | null;
  /** For apply: the digest of the plan; only a plan with this digest is applied. */
  readonly digest: string | null;
  /** null: a run without a job, which the fence never refuses for its age. */
  readonly jobId: number | null;
};

export type ParsedArguments =
  | { readonly kind: 'run'; readonly arguments: JobArguments }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'usage'; readonly text: string };

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
  of?: Plannable;
  plan?: string;
  digest?: string;
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
      'for rollback, forget-record and story: only this record (its id, percent-encoded); a story takes one, the others several',
      oneMoreRecord,
      [],
    )
    .option('--only', 'for rollback: restore only the records that the job of --before changed', false)
    .option('--approval <uuid>', 'for remove: the approval, whose ids the api tells', uuid)
    .addOption(new Option('--of <action>', 'for plan: the planned action').choices(PLANNABLE))
    .option('--plan <uid>', "for apply: uid of the plan's job", uuid)
    .option('--digest <digest>', 'for apply: the digest of the plan', wholeDigest)
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
function misplacedOption(action: Action, options: Options): string | undefined {
  const { item, before, preview, expect, approval, id, only } = options;
  if (item.length > 0 && action !== 'delta') return `--item goes with delta, not with ${action}`;
  if (action === 'remove' && approval === undefined)
    return 'remove needs --approval: approve a loss, which starts it (syncrator losses)';
  if (action !== 'remove' && approval !== undefined) return `--approval goes with remove, not with ${action}`;
  const ofPlan = misplacedOfPlan(action, options);
  if (ofPlan !== undefined) return ofPlan;
  if (only && id.length > 0) return '--id and --only exclude each other';
  if (action === 'forget-record' && id.length === 0) return 'forget-record needs --id';
  if (action === 'story' && id.length !== 1) return 'story needs one --id';
  const ofRollback = [before !== undefined, preview, expect !== undefined, only];
  if (action !== 'forget-record' && action !== 'story') ofRollback.push(id.length > 0);
  if (action === 'rollback' || !ofRollback.includes(true)) return undefined;
  return `--before, --preview, --expect, --id and --only go with rollback, not with ${action}`;
}

function misplacedOfPlan(action: Action, { of, plan, digest }: Options): string | undefined {
  if (action === 'plan' && of === undefined) return `plan needs --of: ${PLANNABLE.join(', ')}`;
  if (action !== 'plan' && of !== undefined) return `--of goes with plan, not with ${action}`;
  if (action === 'apply' && (plan === undefined || digest === undefined))
    return 'apply needs --plan and --digest: the log of the plan has both';
  if (action !== 'apply' && (plan !== undefined || digest !== undefined))
    return `--plan and --digest go with apply, not with ${action}`;
  return undefined;
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
    of: options.of ?? null,
    plan: options.plan ?? null,
    digest: options.digest ?? null,
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

function wholeDigest(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw new InvalidArgumentError('expected the digest of a plan, 64 hexadecimal digits');
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
