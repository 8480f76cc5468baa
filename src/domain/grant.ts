/** What somebody may do: a role, limited to environments and actions or not at all. Pure; api and page say the same. */

import type { JobRequest } from './job.ts';
import { EXTERNAL_ACTION_PATTERN, NAME_PATTERN } from './names.ts';

/** The least first: each may do what those before it may. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Limits are of what one does, not of what one sees; null = none. */
export type Grant = {
  readonly role: Role;
  readonly envs: readonly string[] | null;
  readonly actions: readonly string[] | null;
};

/** A job as far as limits go by it: what it is called by is chosen freely in `POST /run`, so what it does counts too. */
export type Touched = { readonly env: string; readonly action_name: string; readonly action: string };

export function touchedBy({ env, parameters }: Pick<JobRequest, 'env' | 'parameters'>): Touched {
  return { env, action_name: parameters.action_name, action: parameters.action };
}

/** What an act needs: a role; where it touches a job, no limit that leaves that out; `everything`: no limit at all. */
export type Need = { readonly role: Role; readonly of?: Touched | 'everything' | undefined };

export type Refusal = {
  readonly words: string;
  readonly role: Role;
  /** What lies outside of the limits. */
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

/** Undefined when nothing stands against it. */
export function refusalOf(grant: Grant, { role, of }: Need): Refusal | undefined {
  if (!hasRole(grant, role)) return { words: `this needs the role ${role}; yours is ${grant.role}`, role };
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
  const action = [of.action_name, of.action].find((name) => grant.actions?.includes(name) === false);
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
