/** Reads pages of the audit, newest first, filtered by principal, verb, object and time. */
import { type RawBuilder, type Selectable, sql } from 'kysely';
import type { Db, Schema } from '../schema.ts';

export type AuditEntry = Selectable<Schema['audit']>;

export type AuditFilter = {
  /** The principal as the audit names it, or without the name in brackets that an issuer's user has. */
  readonly principal?: string | undefined;
  readonly verb?: string | undefined;
  /** `job 7`, or `job` for all jobs. */
  readonly object?: string | undefined;
  /** True: only refused calls. False: only accepted ones. */
  readonly refused?: boolean | undefined;
  readonly since?: Date | undefined;
  readonly until?: Date | undefined;
  /** Only lines with a smaller id: the cursor. */
  readonly before?: number | undefined;
};

export async function listAudit(
  db: Db,
  filter: AuditFilter,
  page: { limit: number; offset: number },
): Promise<AuditEntry[]> {
  const where: RawBuilder<unknown>[] = [sql`true`];
  const { principal, verb, object, refused, since, until, before } = filter;
  if (principal !== undefined)
    where.push(sql`(principal = ${principal} OR principal LIKE ${beginningWith(principal, ' (')})`);
  if (verb !== undefined) where.push(sql`verb = ${verb}`);
  if (object !== undefined)
    where.push(sql`(object = ${object} OR object LIKE ${beginningWith(object, ' ')})`);
  if (refused !== undefined) where.push(refused ? sql`refused IS NOT NULL` : sql`refused IS NULL`);
  if (since) where.push(sql`at >= ${since}`);
  if (until) where.push(sql`at < ${until}`);
  if (before !== undefined) where.push(sql`id < ${before}`);
  const { rows } = await sql<AuditEntry>`
    SELECT id, at, principal, verb, object, refused, reason, address, request_id, client_request_id, detail FROM audit WHERE ${sql.join(where, sql` AND `)}
    ORDER BY id DESC LIMIT ${page.limit} OFFSET ${page.offset}`.execute(db);
  return rows;
}

/** A LIKE pattern for texts that begin with this one; its own wildcards are escaped. */
function beginningWith(text: string, then: string): string {
  return `${text.replaceAll(/[\\%_]/g, '\\$&')}${then}%`;
}
