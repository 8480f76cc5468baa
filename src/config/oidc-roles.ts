/** `OIDC_ROLES`: maps roles of the identity provider to our roles, with limits. */
import { type Grant, grantOf, ROLES } from '../domain/permission.ts';

/** One value of a token's claim. */
export type OidcRole = { readonly value: string; readonly grant: Grant };

/**
 * Parses `value=role[:env+env[:action+action]]`, separated by commas; without an env (`value=operator::delta`) any
 * env is allowed.
 * @throws Error that names the invalid part
 */
export function parseOidcRoles(text: string): OidcRole[] {
  const mapped = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(parseOne);
  const twice = mapped.find(({ value }, at) => mapped.findIndex((one) => one.value === value) < at);
  if (twice) throw new Error(`has '${twice.value}' twice`);
  return mapped;
}

function parseOne(part: string): OidcRole {
  // The value may contain equals signs (`cn=staff`), the rest contains none.
  const at = part.lastIndexOf('=');
  const value = part.slice(0, Math.max(at, 0)).trim();
  const [name = '', envs = '', actions = '', ...more] = part.slice(at + 1).split(':');
  const role = ROLES.find((known) => known === name.trim());
  if (value === '' || role === undefined || more.length > 0)
    throw new Error(
      `'${part}' is not <value>=<role>[:<env>+<env>[:<action>+<action>]] with a role of ${ROLES.join(', ')}`,
    );
  return { value, grant: grantOf(role, split(envs), split(actions)) };
}

function split(text: string): string[] {
  return text
    .split('+')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
