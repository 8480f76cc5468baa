/** Permissions: a role, optionally limited to environments and actions. Pure; shared by api and page. */

import { ROLLBACK, ROLLBACK_PREVIEW, TAKE_OVER } from './action.ts';
import type { JobRequest } from './job.ts';
import { EXTERNAL_ACTION_PATTERN, NAME_PATTERN } from './names.ts';
import { liftsGuard } from './options.ts';

/** The weakest first: each role may do all that the roles before it may. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Stands among a grant's actions: the right to write `--force-delete` into the options of a job. */
export const FORCE_DELETE = 'force-delete';

/** Limits restrict writes, not reads; null: no limit. */
export type Grant = {
  readonly role: Role;
  readonly envs: readonly string[] | null;
  readonly actions: readonly string[] | null;
};

/** A job as far as limits go by it: what it is called by is chosen freely in `POST /run`, so what it does counts too. */
export type JobScope = { readonly env: string; readonly action_name: string; readonly action: string };

export function scopeOf({ env, parameters }: Pick<JobRequest, 'env' | 'parameters'>): JobScope {
  return { env, action_name: parameters.action_name, action: parameters.action };
}

/** What an act needs: a role; where it touches a job, no limit that leaves that out; `everything`: no limit at all. */
export type Requirement = {
  readonly role: Role;
  readonly of?: JobScope | 'everything' | undefined;
  /** The right FORCE_DELETE too. */
  readonly liftsGuard?: boolean | undefined;
};

/**
 * What asking for a job needs.
 * @param by who wrote its options: whoever asks, or the author of a params file, who has decided what these allow
 */
export function requirementOf(
  job: Pick<JobRequest, 'env' | 'parameters'>,
  by: 'caller' | 'params_file',
): Requirement {
  const { action, options } = job.parameters;
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
 * A grant whose limits are given as lists, of which an empty one is none.
 * @throws Error for limits of one who only looks, and for what is no name
 */
export function grantOf(role: Role, envs: readonly string[], actions: readonly string[]): Grant {
  if (role === 'viewer' && envs.length + actions.length > 0)
    throw new Error('a viewer only looks, and sees everything: limits are of operator and admin');
  for (const env of envs)
    if (!NAME_PATTERN.test(env)) throw new Error(`'${env}' is no name of an environment`);
  for (const action of actions)
    if (!EXTERNAL_ACTION_PATTERN.test(action)) throw new Error(`'${action}' is no name of an action`);
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
  if (outside || need.liftsGuard !== true || mayForceDelete(grant)) return outside;
  const limits = limitsOf(grant);
  return {
    words:
      `--force-delete needs the right ${FORCE_DELETE}, which an admin without limits of actions has, and a grant ` +
      `with ${FORCE_DELETE} among its actions; ${limits === null ? `yours is ${grant.role}` : yours(limits)}`,
    role,
    outside: { action: FORCE_DELETE },
  };
}

function mayForceDelete({ role, actions }: Grant): boolean {
  return actions === null ? role === 'admin' : actions.includes(FORCE_DELETE);
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
  // Whoever may roll back may look at what it would do.
  const isPreview = of.action_name === ROLLBACK_PREVIEW && of.action === ROLLBACK;
  const action = [isPreview ? of.action : of.action_name, of.action].find(
    (name) => grant.actions?.includes(name) === false,
  );
  if (action === undefined) return undefined;
  return {
    words: `this needs ${role} for the action '${action}'; ${yours(limits)}`,
    role,
    outside: { action },
  };
}

/** `env qas, dev; action delta`; null when there are none. */
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
