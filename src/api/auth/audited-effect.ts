/** Audits an operation outside of Postgres: one entry before it, and another if it fails. */
import type { Context } from 'hono';
import { audit, type AuditLine } from '../../db/access/audit.ts';
import type { ApiEnv } from '../context.ts';
import { problemOf } from '../http/problem.ts';

/** No transaction spans both systems: after a crash between them the entry still names the caller. */
export async function doAfterLine(
  c: Context<ApiEnv, string>,
  line: AuditLine,
  work: () => Promise<void>,
): Promise<void> {
  await audit(c.var.db, line);
  try {
    await work();
  } catch (error) {
    const problem = error instanceof Error ? problemOf(error) : undefined;
    const message = problem?.message ?? 'the operation failed; see the log for the reason';
    const undone = { ...line, refused: problem?.code ?? 'internal', detail: { message } };
    await audit(c.var.db, undone).catch((fault: unknown) =>
      c.var.log.error(
        { err: fault, object: line.object },
        'cannot write the audit entry of a failed operation',
      ),
    );
    throw error;
  }
}
