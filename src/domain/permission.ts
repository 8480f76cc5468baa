/** Permissions: a role, optionally limited to environments and actions. Pure; shared by api and page. */

import { FORGET, plannedName, ROLLBACK, ROLLBACK_PREVIEW, TAKE_OVER } from './action.ts';
import type { JobRequest } from './job.ts';
import { EXTERNAL_ACTION_PATTERN, NAME_PATTERN } from './names.ts';
import { liftsGuard } from './options.ts';

/** The weakest first: each role includes the rights of those before it. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Listed among a grant's actions: the right to use `--force-delete` in the options of a job. */
export const FORCE_DELETE = 'force-delete';
/** Listed among a grant's actions: the right to approve that held records are removed, or to keep them. */
export const APPROVE = 'approve';

/** Listed among an admin's actions, if these are limited: the right to erase the earlier values of records. */
export const MAY_FORGET = 'forget';

/** Limits restrict writes, not reads; null: no limit. */
export type Grant = {
  readonly role: Role;
  readonly envs: readonly string[] | null;
  readonly actions: readonly string[] | null;
};

/**
 * The part of a job that limits are checked against. A caller of `POST /run` chooses the name freely, so both the
 * name and the action count.
 */
export type JobScope = { readonly env: string; readonly action_name: string; readonly action: string };

export function scopeOf({ env, parameters }: Pick<JobRequest, 'env' | 'parameters'>): JobScope {
  return { env, action_name: parameters.action_name, action: parameters.action };
}

/** The requirement of a call: a role; for a job, limits that include it; with `everything`, no limits at all. */
export type Requirement = {
  readonly role: Role;
  readonly of?: JobScope | 'everything' | undefined;
  /** True if the right FORCE_DELETE is required, too. */
  readonly liftsGuard?: boolean | undefined;
  /** True if the right APPROVE is required, too. */
  readonly approves?: boolean | undefined;
};

/** The requirement of an answer to a loss in an env. */
export function requirementOfAnswer(env: string): Requirement {
  return { role: 'operator', of: { env, action_name: APPROVE, action: APPROVE }, approves: true };
}

/**
 * The requirement of starting a job.
 * @param by the author of its options: the caller, or a params file, whose author has decided what these allow
 */
export function requirementOf(
  job: Pick<JobRequest, 'env' | 'parameters'>,
  by: 'caller' | 'params_file',
): Requirement {
  const { action, options } = job.parameters;
  if (action === FORGET)
    return { role: 'admin', of: { env: job.env, action_name: MAY_FORGET, action: MAY_FORGET } };
  return {
    role: action === TAKE_OVER ? 'admin' : 'operator',
    of: scopeOf(job),
    liftsGuard: by === 'caller' && liftsGuard(options),
  };
}

export type Denial = {
  readonly words: string;
  readonly role: Role;
  /** The env or action outside the limits. */
  readonly outside?: { readonly env: string } | { readonly action: string };
};

export function unlimited(role: Role): Grant {
  return { role, envs: null, actions: null };
}

/**
 * A grant with limits as lists; an empty list means no limit.
 * @throws Error for a viewer with limits, and for an invalid name
 */
export function grantOf(role: Role, envs: readonly string[], actions: readonly string[]): Grant {
  if (role === 'viewer' && envs.length + actions.length > 0)
    throw new Error(
      'a viewer cannot be limited: it only reads, and reads everything; limits need the role operator or admin',
    );
  for (const env of envs)
    if (!NAME_PATTERN.test(env))
      throw new Error(`'${env}' is not a valid environment: expected at most 40 of a-z, 0-9, - and _`);
  for (const action of actions)
    if (!EXTERNAL_ACTION_PATTERN.test(action))
      throw new Error(`'${action}' is not a valid action: expected at most 40 of A-Z, a-z, 0-9, - and _`);
  const listed = (names: readonly string[]) => (names.length === 0 ? null : [...new Set(names)]);
  return { role, envs: listed(envs), actions: listed(actions) };
}

export function hasRole(grant: Grant, role: Role): boolean {
  return ROLES.indexOf(grant.role) >= ROLES.indexOf(role);
}

/** Undefined if the grant meets the requirement. */
export function denialReason(grant: Grant, need: Requirement): Denial | undefined {
  const { role } = need;
  if (!hasRole(grant, role)) return { words: `this needs the role ${role}; yours is ${grant.role}`, role };
  const outside = limitDenial(grant, need);
  if (outside) return outside;
  if (need.liftsGuard === true && !hasRight(grant, FORCE_DELETE))
    return rightDenial(grant, role, { what: '--force-delete', right: FORCE_DELETE });
  if (need.approves === true && !hasRight(grant, APPROVE))
    return rightDenial(grant, role, { what: 'an answer to a loss', right: APPROVE });
  return undefined;
}

function hasRight({ role, actions }: Grant, right: string): boolean {
  return actions === null ? role === 'admin' : actions.includes(right);
}

function rightDenial(grant: Grant, role: Role, { what, right }: { what: string; right: string }): Denial {
  const limits = limitsOf(grant);
  return {
    words:
      `${what} needs the right ${right}: an admin without limited actions has it, and so has a grant ` +
      `with ${right} among its actions; ${limits === null ? `yours is ${grant.role}` : yours(limits)}`,
    role,
    outside: { action: right },
  };
}

function limitDenial(grant: Grant, { role, of }: Requirement): Denial | undefined {
  const limits = limitsOf(grant);
  if (of === undefined || limits === null) return undefined;
  if (of === 'everything')
    return {
      words: `this concerns every environment, and needs ${role} without limits; ${yours(limits)}`,
      role,
    };
  if (grant.envs?.includes(of.env) === false)
    return {
      words: `this needs ${role} in env '${of.env}'; ${yours(limits)}`,
      role,
      outside: { env: of.env },
    };
  const action = namesOf(of).find((name) => grant.actions?.includes(name) === false);
  if (action === undefined) return undefined;
  return {
    words: `this needs ${role} for the action '${action}'; ${yours(limits)}`,
    role,
    outside: { action },
  };
}

/** The names that a grant's actions must include. */
function namesOf({ action_name: name, action }: JobScope): readonly string[] {
  // A role that may roll back may also preview it; one that may start an action may also plan it and apply the plan.
  if (name === ROLLBACK_PREVIEW && action === ROLLBACK) return [ROLLBACK];
  const planned = plannedName({ action_name: name, action });
  return planned === undefined ? [name, action] : [planned];
}

/** `env qas, dev; action delta`; null if there are no limits. */
export function limitsOf({ envs, actions }: Pick<Grant, 'envs' | 'actions'>): string | null {
  const limits = [
    ...(envs === null ? [] : [`env ${envs.join(', ')}`]),
    ...(actions === null ? [] : [`action ${actions.join(', ')}`]),
  ];
  return limits.length === 0 ? null : limits.join('; ');
}

function yours(limits: string): string {
  return `yours is limited to ${limits}`;
}
