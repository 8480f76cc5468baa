/** `OIDC_ROLES`: what a role of the identity provider's means here, with the limits that go with it. */
import { type Grant, grantOf, ROLES } from '../domain/permission.ts';

/** One value of a token's claim. */
export type OidcRole = { readonly value: string; readonly grant: Grant };

/**
 * Reads `value=role[:env+env[:action+action]]`, several with commas between; no env (`value=operator::delta`) is any.
 * @throws Error naming the part that is wrong
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
  // The value may have a sign of equality in it (`cn=staff`), what comes after has none.
  const at = part.lastIndexOf('=');
  const value = part.slice(0, Math.max(at, 0)).trim();
  const [name = '', envs = '', actions = '', ...more] = part.slice(at + 1).split(':');
  const role = ROLES.find((known) => known === name.trim());
  if (value === '' || role === undefined || more.length > 0)
    throw new Error(
      `'${part}' is not <value>=<role>[:<env>+<env>[:<action>+<action>]], role one of ${ROLES.join(', ')}`,
    );
  return { value, grant: grantOf(role, split(envs), split(actions)) };
}

function split(text: string): string[] {
  return text
    .split('+')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
