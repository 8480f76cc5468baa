/** Gives each test file its own Temporal namespace on the run's dev server. */
import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { inject } from 'vitest';

/** Registers a fresh namespace and returns once every part of the server knows it. */
export async function createNamespace(): Promise<{ address: string; namespace: string }> {
  const address = inject('temporalAddress');
  const namespace = `test-${randomUUID()}`;
  const connection = await Connection.connect({ address, connectTimeout: '10 seconds' });
  try {
    await connection.withDeadline(Date.now() + 10_000, () =>
      connection.workflowService.registerNamespace({
        namespace,
        workflowExecutionRetentionPeriod: msToTs('1 day'),
      }),
    );
    const client = new Client({ connection, namespace });
    const deadline = Date.now() + 30_000;
    for (;;) {
      try {
        await connection.withDeadline(Date.now() + 5_000, () => usable(client));
        return { address, namespace };
      } catch (error) {
        if (Date.now() > deadline)
          throw new Error(`namespace ${namespace} did not become usable`, { cause: error });
      }
      await wait(50);
    }
  } finally {
    await connection.close();
  }
}

/** The server's services learn of a namespace one by one: this asks history, matching and visibility. */
async function usable(client: Client): Promise<void> {
  const handle = await client.workflow.start('probe', {
    workflowId: 'namespace-probe',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    workflowIdConflictPolicy: 'USE_EXISTING',
    taskQueue: 'namespace-probe',
    args: [],
  });
  await handle.terminate('the namespace is usable');
  await client.workflow.count();
  await client.workflowService.deleteWorkflowExecution({
    namespace: client.options.namespace,
    workflowExecution: { workflowId: 'namespace-probe' },
  });
}
