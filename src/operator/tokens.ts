/** Creates, lists and revokes tokens of programs. Not over HTTP: a stolen login must not create tokens that outlive it. */
import { CliFailure } from '../terminal/failure.ts';
import { type Cell, type Format, print, tableOf } from '../terminal/output.ts';
import {
  addServiceToken,
  listServiceTokens,
  type ListedToken,
  revokeServiceToken,
} from '../db/access/service-tokens.ts';
import { makeServiceToken } from '../auth/service-token.ts';
import { byCommand } from './by.ts';
import { withSchema } from './database.ts';
import { limitsText, readGrant } from './grants.ts';
import type { CreateOptions } from './options.ts';

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const HEADS = ['TOKEN', 'ROLE', 'LIMITS', 'STATE', 'EXPIRES', 'LAST USED', 'CREATED', 'BY'];
const LOOKS = { good: 'green', expired: 'yellow', revoked: 'dim' } as const;

export async function list(format: Format): Promise<void> {
  const tokens = await withSchema(listServiceTokens);
  print(format, tokens, () => tableOf(HEADS, tokens.map(rowOf), 'no tokens'));
}

function rowOf(token: ListedToken): Cell[] {
  const { name, state, created_at: created, created_by: by, expires_at: ends, last_used_at: used } = token;
  return [
    name,
    token.role,
    limitsText(token),
    { text: state, look: LOOKS[state] },
    ends?.toISOString() ?? 'never',
    used?.toISOString() ?? 'never',
    created.toISOString(),
    by,
  ];
}

/** @throws CliFailure for an invalid name, role or lifetime, and for a name in use */
export async function create(
  format: Format,
  name: string,
  options: CreateOptions,
  reason?: string,
): Promise<void> {
  if (!NAME.test(name))
    throw new CliFailure(
      `invalid token name '${name}' (expected 1 to 64 of a-z 0-9 . _ -, starting with a-z or 0-9)`,
    );
  const grant = readGrant(options.role, options);
  const seconds = secondsOf(options.expires);
  const { id, hash, token } = makeServiceToken();
  const added = await withSchema((db) =>
    addServiceToken(db, { id, hash, name, grant, seconds }, byCommand('tokens', reason)),
  );
  if (!added) throw new CliFailure(`token ${name} already exists: revoke it first, or use another name`);
  const until = added.expires_at?.toISOString() ?? null;
  print(format, { id, name, token, ...grant, expires_at: until }, () => token);
  process.stderr.write(
    `Created ${name}, ${grant.role} (limits: ${limitsText(grant)}), ${until === null ? 'never expires' : `valid until ${until}`}.\n` +
      'It is shown only this once.\n',
  );
}

export async function revoke(name: string, reason?: string): Promise<void> {
  await withSchema(async (db) => {
    if (!(await revokeServiceToken(db, name, byCommand('tokens', reason))))
      throw new CliFailure(`no active token ${name}`);
  });
  process.stderr.write(`Revoked ${name}.\n`);
}

/** @returns null for never @throws CliFailure */
function secondsOf(text: string): number | null {
  if (text === 'never') return null;
  const [, count = '', unit] = /^([1-9]\d{0,3})([hd])$/.exec(text) ?? [];
  if (count === '') throw new CliFailure(`invalid --expires '${text}' (expected e.g. 90d, 12h, or never)`);
  return Number(count) * (unit === 'h' ? 3_600 : 86_400);
}
