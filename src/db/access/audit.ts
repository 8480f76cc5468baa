/** Writes the audit: one line per accepted write, in its transaction, and one per denied write. Lines never change. */
import { maskedWithin } from '../../domain/mask.ts';
import type { Db } from '../schema.ts';

/** Where a call came from, and why it was made. */
export type Origin = {
  /** Of the client, as proxies of ours tell it. */
  readonly address?: string | undefined;
  /** Of the program that called: a token's name may have been another one's. */
  readonly tokenId?: string | undefined;
  readonly requestId?: string | undefined;
  /** What the caller calls its call. */
  readonly clientRequestId?: string | undefined;
  readonly reason?: string | undefined;
  /** W3C: what it asks for goes on with that trace. */
  readonly traceparent?: string | undefined;
};

export type AuditLine = {
  readonly principal: string;
  readonly verb: string;
  readonly object: string;
  readonly detail?: unknown;
  /** The code it was refused with. */
  readonly refused?: string | undefined;
  /** Of what nobody called for, none. */
  readonly origin?: Origin | undefined;
};

/** Whoever does something, for the functions that write it down. */
export type By = Pick<AuditLine, 'principal' | 'origin'>;

/** Adds a line, without the credentials that parameters may hold. Give the transaction of the write, so that neither is there without the other. */
export async function audit(db: Db, line: AuditLine): Promise<void> {
  const { address, requestId, clientRequestId, reason, tokenId } = line.origin ?? {};
  await db
    .insertInto('audit')
    .values({
      // As an issuer's user: who filters by the part before it finds both.
      principal: tokenId === undefined ? line.principal : `${line.principal} (${tokenId})`,
      verb: line.verb,
      object: line.object,
      detail: line.detail === undefined ? null : JSON.stringify(maskedWithin(line.detail)),
      refused: line.refused ?? null,
      reason: reason === undefined ? null : maskedWithin(reason),
      address: address ?? null,
      request_id: requestId ?? null,
      client_request_id: clientRequestId ?? null,
    })
    .execute();
}
