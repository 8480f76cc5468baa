/** Who wrote what: one line per accepted write, in the transaction of the write itself. */
import { maskedWithin } from '../domain/mask.ts';
import type { Db } from './schema.ts';

export type AuditLine = {
  readonly principal: string;
  readonly verb: string;
  readonly object: string;
  readonly detail?: unknown;
};

/** Adds a line, without the credentials that parameters may hold. Give the transaction of the write, so that neither is there without the other. */
export async function audit(db: Db, line: AuditLine): Promise<void> {
  await db
    .insertInto('audit')
    .values({
      principal: line.principal,
      verb: line.verb,
      object: line.object,
      detail: line.detail === undefined ? null : JSON.stringify(maskedWithin(line.detail)),
    })
    .execute();
}
