/** OPTIONS: turns the text of a params file or a request into arguments. Pure. */

import { APPLY, isPlannable, PLAN, type Plannable, REMOVE, ROLLBACK, STORY } from './action.ts';

export type ParsedOptions = { readonly args: readonly string[] } | { readonly error: string };

/** Tells a program which job it runs for; callers may not choose it. */
const JOB_ID = '--api_job_id';
/** Lifts the delete guard. */
const FORCE = '--force-delete';
/** Names the approved ids that a removal may remove. */
export const APPROVAL = '--approval';

/** Names the action that is planned. */
export const PLAN_OF = '--of';
/** Names the plan that is applied, by the uid of the job that made it. */
export const PLAN_UID = '--plan';
/** The digest of that plan. */
export const PLAN_DIGEST = '--digest';

/** Names a record: that a rollback is limited to, or that is forgotten or told of. No id looks like an option. */
const RECORD = '--id';

/** Flags of our own program with the pattern of their value; null = no value. */
const FLAGS: Readonly<Record<string, RegExp | null>> = {
  '-n': /^[1-9][0-9]{0,6}$/,
  '-c': /^([1-9]|[1-5][0-9]|6[0-4])$/,
  '--debug': null,
  [FORCE]: null,
  '--accept-jump': null,
  '--item': /^[1-9][0-9]{0,15}$/,
  '--switch_solr_alias': null,
  '--target_env': /^[a-z0-9][-_a-z0-9]{0,39}$/,
  '--target': /^[a-z0-9][-_a-z0-9]{0,39}$/,
  '--before': /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  '--preview': null,
  '--expect': /^[0-9a-f]{16,64}$/,
  [RECORD]: /^(?!-)([A-Za-z0-9_.!~*'()-]|%[0-9A-Fa-f]{2}){1,1500}$/,
  '--only': null,
  [PLAN_OF]: /^(sync|delta|delete)$/,
  [PLAN_UID]: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  [PLAN_DIGEST]: /^[0-9a-f]{64}$/,
  [APPROVAL]: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
};

const LIMIT = 2000;

export function liftsGuard(options: string): boolean {
  return options.split(' ').includes(FORCE);
}

/** The approval that a removal was started by; undefined for every other job. */
export function approvalOf({ action, options }: { action: string; options: string }): string | undefined {
  return action === REMOVE ? wordAfter(APPROVAL, options) : undefined;
}

/** The action that a job plans; undefined for every other job. */
export function plannedBy({ action, options }: { action: string; options: string }): Plannable | undefined {
  const of = action === PLAN ? wordAfter(PLAN_OF, options) : undefined;
  return of !== undefined && isPlannable(of) ? of : undefined;
}

/** The plan that a job applies, by the uid of the job that made it; undefined for every other job. */
export function appliedPlan({ action, options }: { action: string; options: string }): string | undefined {
  const uid = action === APPLY ? wordAfter(PLAN_UID, options) : undefined;
  return uid !== undefined && FLAGS[PLAN_UID]?.test(uid) === true ? uid : undefined;
}

/** The same arguments without those that name an applied plan. */
export function withoutPlan(args: readonly string[]): string[] {
  const own = (word: string | undefined): boolean => word === PLAN_UID || word === PLAN_DIGEST;
  return args.filter((word, at) => !own(word) && !own(args[at - 1]));
}

function wordAfter(flag: string, options: string): string | undefined {
  const words = options.split(' ');
  const at = words.indexOf(flag);
  return at < 0 ? undefined : words[at + 1];
}

/** True for a rollback that only shows what it would do. */
export function isPreview({ action, options }: { action: string; options: string }): boolean {
  return action === ROLLBACK && options.split(' ').includes('--preview');
}

/** The records that a rollback is limited to (none: it restores all), or that are forgotten or told of. */
export function namedRecords(options: string): { ids?: string[]; only?: true } {
  const args = options.split(' ');
  const ids = args.flatMap((arg, at) => (args[at - 1] === RECORD ? [decodeURIComponent(arg)] : []));
  return { ...(ids.length > 0 ? { ids } : {}), ...(args.includes('--only') ? { only: true } : {}) };
}

/** The record whose story a job tells; undefined for every other job. */
export function storyOf({ action, options }: { action: string; options: string }): string | undefined {
  return action === STORY ? namedRecords(options).ids?.[0] : undefined;
}

/** An action of a program that is not ours, which has the name of our removals or stories. */
export function isNamesake(job: { action: string; options: string }): boolean {
  return (
    (job.action === REMOVE && approvalOf(job) === undefined) ||
    (job.action === STORY && storyOf(job) === undefined)
  );
}

/** True if both give a program the same arguments. */
export function areSameOptions(one: string, other: string): boolean {
  const args = (options: string) => options.split(' ').filter((arg) => arg !== '');
  return JSON.stringify(args(one)) === JSON.stringify(args(other));
}

/** The same options without `--force-delete`. */
export function withoutForce(options: string): string {
  return options
    .split(' ')
    .filter((arg) => arg !== FORCE)
    .join(' ');
}

/**
 * Splits at spaces, with no quoting and no shell: the program gets the words byte for byte. Control characters are
 * refused for every image; unknown flags and values only for ours.
 */
export function parseOptions(options: string, image: { foreign: boolean }): ParsedOptions {
  if (options.length > LIMIT) return { error: `options are longer than ${LIMIT} characters` };
  // oxlint-disable-next-line no-control-regex -- the pattern looks for control characters
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/.test(options))
    return { error: 'options contain a control character' };
  if (!options.isWellFormed()) return { error: 'options contain a lone surrogate' };
  const args = options.split(' ').filter((arg) => arg !== '');
  if (args.some((arg) => arg === JOB_ID || arg.startsWith(`${JOB_ID}=`)))
    return { error: `${JOB_ID} is added by syncrator itself` };
  if (image.foreign) return { args };
  for (let i = 0; i < args.length; i++) {
    const flag = args[i] ?? '';
    if (!Object.hasOwn(FLAGS, flag))
      return { error: `unknown option '${flag}'; allowed: ${Object.keys(FLAGS).join(' ')}` };
    const pattern = FLAGS[flag];
    if (!pattern) continue;
    const value = args[++i];
    if (value === undefined || !pattern.test(value))
      return { error: `option ${flag} needs a value like ${pattern.source}, not '${value ?? ''}'` };
    if (flag === RECORD && !isDecodable(value))
      return { error: `option ${flag} needs a percent-encoded id in UTF-8, not '${value}'` };
  }
  return { args };
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
