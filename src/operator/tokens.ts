/** Tokens of programs: made, listed, revoked. Here and not over HTTP, so that a stolen login makes none that outlives it. */
import { CliFailure } from '../cli/failure.ts';
import { type Cell, type Format, print, tableOf } from '../cli/output.ts';
import {
  addServiceToken,
  listServiceTokens,
  type ListedToken,
  revokeServiceToken,
} from '../db/service-tokens.ts';
import { makeServiceToken } from '../service-token.ts';
import { byCommand } from './by.ts';
import { withSchema } from './database.ts';
import { limitsText, readGrant } from './grants.ts';
import type { CreateOptions } from './token-commands.ts';

const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const HEADS = ['TOKEN', 'ROLE', 'LIMITS', 'STATE', 'EXPIRES', 'LAST USED', 'CREATED', 'BY'];
const LOOKS = { good: 'green', expired: 'yellow', revoked: 'dim' } as const;

export async function list(format: Format): Promise<void> {
  const tokens = await withSchema(listServiceTokens);
  print(format, tokens, () => tableOf(HEADS, tokens.map(rowOf), 'there is no token yet'));
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

/** @throws CliFailure for a name, role or time that will not do, or a name that is taken */
export async function create(
  format: Format,
  name: string,
  options: CreateOptions,
  reason?: string,
): Promise<void> {
  if (!NAME.test(name))
    throw new CliFailure(`'${name}' is not 1 to 64 of a-z 0-9 . _ -, the first a-z or 0-9`);
  const grant = readGrant(options.role, options);
  const seconds = secondsOf(options.expires);
  const { id, hash, token } = makeServiceToken();
  const added = await withSchema((db) =>
    addServiceToken(db, { id, hash, name, grant, seconds }, byCommand('tokens', reason)),
  );
  if (!added) throw new CliFailure(`there is a token ${name} already: revoke it first, or take another name`);
  const until = added.expires_at?.toISOString() ?? null;
  print(format, { id, name, token, ...grant, expires_at: until }, () => token);
  process.stderr.write(
    `Made ${name}, ${grant.role} (limits: ${limitsText(grant)}), ${until === null ? 'which never expires' : `good until ${until}`}.\n` +
      'It is shown this once.\n',
  );
}

export async function revoke(name: string, reason?: string): Promise<void> {
  await withSchema(async (db) => {
    if (!(await revokeServiceToken(db, name, byCommand('tokens', reason))))
      throw new CliFailure(`there is no token ${name} to be revoked`);
  });
  process.stderr.write(`Revoked ${name}.\n`);
}

/** Null is never. @throws CliFailure */
function secondsOf(text: string): number | null {
  if (text === 'never') return null;
  const [, count = '', unit] = /^([1-9]\d{0,3})([hd])$/.exec(text) ?? [];
  if (count === '') throw new CliFailure(`'${text}' is not a time such as 90d or 12h, or never (--expires)`);
  return Number(count) * (unit === 'h' ? 3_600 : 86_400);
}
