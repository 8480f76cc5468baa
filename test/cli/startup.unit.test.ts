/** Commands that call the server start without the modules of the operator commands. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** Lists every loaded module. */
const SPY = `import { registerHooks } from 'node:module';
registerHooks({ load(url, context, next) { process.stderr.write('loaded ' + url + '\\n'); return next(url, context); } });`;

test('modules of the server stay unloaded', () => {
  const spy = `data:text/javascript,${encodeURIComponent(SPY)}`;
  const node = ['--import', spy, path.join(ROOT, 'src/cli/main.ts'), 'jobs'];
  // No address: it ends once its commands are built.
  const ran = spawnSync(process.execPath, node, { env: { SYNCRATOR_URL: 'none' }, encoding: 'utf8' });
  expect(ran.stderr).toContain("invalid server address 'none'");
  const loaded = [...ran.stderr.matchAll(/^loaded file:\/\/(\S+)$/gm)].map(([, file = '']) =>
    path.relative(ROOT, file),
  );
  expect(loaded).toContain('src/cli/job-commands.ts');
  expect(loaded).toContain('src/operator/commands.ts');
  const heavy =
    /^src\/(db|api|temporal|runner|embedded|operator\/(?!(user-|token-|target-|connector-)?commands|options|target-choices))|^src\/(server|worker|config)\.ts|node_modules\/(pg|kysely|hono|@temporalio|@hono|@node-rs)\//;
  expect(loaded.filter((file) => heavy.test(file))).toEqual([]);
});
