/** The process of temporal-download.ts: starts the SDK's ephemeral server once, which leaves the program behind. */
import { TestWorkflowEnvironment } from '@temporalio/testing';

const downloadDir = process.argv[2];
if (downloadDir === undefined) throw new Error('usage: temporal-download-main.ts <folder>');
try {
  const env = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'cached-download', downloadDir } },
  });
  await env.teardown();
  process.exit(0);
} catch (error) {
  console.error((error instanceof Error ? error.message : String(error)).replaceAll('\n', ' '));
  process.exit(1);
}
