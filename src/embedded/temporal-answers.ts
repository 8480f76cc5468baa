/** Checks whether a Temporal server answers. */
import { Connection } from '@temporalio/client';

/** True when the server describes the namespace `default` within `timeoutMs`. */
export async function temporalAnswers(address: string, timeoutMs = 2_000): Promise<boolean> {
  let connection: Connection;
  try {
    connection = await Connection.connect({ address, connectTimeout: timeoutMs });
  } catch {
    return false; // not running yet: the caller handles the deadline
  }
  try {
    await connection.withDeadline(Date.now() + timeoutMs, () =>
      connection.workflowService.describeNamespace({ namespace: 'default' }),
    );
    return true;
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}
