/** Writes the audit: one line per accepted write, in its transaction, and one per denied write. Lines never change. */
import { maskedWithin } from '../../domain/mask.ts';
import type { Db } from '../schema.ts';

/** The origin of a call, and its caller's reason. */
export type Origin = {
  /** The client's address, as our trusted proxies report it. */
  readonly address?: string | undefined;
  /** The id of the calling program: an earlier token may have had the same name. */
  readonly tokenId?: string | undefined;
  readonly requestId?: string | undefined;
  /** The caller's own name for the call. */
  readonly clientRequestId?: string | undefined;
  readonly reason?: string | undefined;
  /** W3C trace context: what the call starts continues this trace. */
  readonly traceparent?: string | undefined;
};

export type AuditLine = {
  readonly principal: string;
  readonly verb: string;
  readonly object: string;
  readonly detail?: unknown;
  /** The code of the refusal. */
  readonly refused?: string | undefined;
  /** Undefined when no call caused the line. */
  readonly origin?: Origin | undefined;
};

/** The principal of an audit line, and the origin of its call. */
export type By = Pick<AuditLine, 'principal' | 'origin'>;

/**
 * Adds a line, without the credentials that parameters may hold. Pass the transaction of the write: then both are
 * stored, or neither.
 */
export async function audit(db: Db, line: AuditLine): Promise<void> {
  const { address, requestId, clientRequestId, reason, tokenId } = line.origin ?? {};
  await db
    .insertInto('audit')
    .values({
      // Written like an issuer's user, so that a filter by the part before the bracket finds both.
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
