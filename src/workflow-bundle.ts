/**
 * Bundles the workflows for Temporal's sandbox in a separate process (`node src/workflow-bundle.ts <file>`), so
 * that the bundler's memory, some 200 MB, is freed. WORKFLOW_BUNDLE then names the file to the worker.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type Logger } from '@temporalio/worker';

const SILENT: Logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, log() {} };

const [file] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write('usage: node src/workflow-bundle.ts <file to write>\n');
  process.exit(1);
}
const workflowsPath = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));
const { code } = await bundleWorkflowCode({ workflowsPath, logger: SILENT });
// Written atomically: a worker may be reading it.
writeFileSync(`${file}.${process.pid}`, code);
renameSync(`${file}.${process.pid}`, file);
