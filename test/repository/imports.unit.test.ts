/** The linter's import directions: a forbidden import is planted in each folder, and must be refused. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** A file, and the one line that must not be in it. */
const FORBIDDEN: readonly (readonly [file: string, line: string])[] = [
  ['src/domain/a1.ts', `export * from '../db/schema.ts';`],
  ['src/domain/a2.ts', `export { createHash } from 'node:crypto';`],
  ['src/domain/a3.ts', `export { z } from 'zod';`],
  ['src/domain/a4.ts', `import type { Db } from '../db/schema.ts';\nexport type A = Db;`],
  ['src/db/b1.ts', `export * from '../runner/runner.ts';`],
  ['src/db/b2.ts', `export { submit } from '../engine/submit.ts';`],
  ['src/db/b3.ts', `export { createApp } from '../api/app.ts';`],
  ['src/db/b4.ts', `export { Client } from '@temporalio/client';`],
  ['src/db/migrations/b5.ts', `export * from '../../runner/runner.ts';`],
  ['src/runner/c1.ts', `export { connect } from '../db/connect.ts';`],
  ['src/runner/process/c2.ts', `export { connect } from '../../db/connect.ts';`],
  ['src/runner/process/c3.ts', `export { Client } from '@temporalio/client';`],
  ['src/runner/other/c4.ts', `export { spawn } from 'node:child_process';`],
  ['src/temporal/d1.ts', `export { createApp } from '../api/app.ts';`],
  ['src/temporal/d2.ts', `export { createProcessRunner } from '../runner/process/process-runner.ts';`],
  ['src/temporal/d3.ts', `export { readConfig } from '../config/config.ts';`],
  ['src/temporal/d4.ts', `export { runJob } from '../../workflows/index.ts';`],
  ['src/metrics/m1.ts', `export { createApp } from '../api/app.ts';`],
  ['src/metrics/m2.ts', `export { readConfig } from '../config/config.ts';`],
  ['src/api/e1.ts', `export { createProcessRunner } from '../runner/process/process-runner.ts';`],
  ['src/api/e2.ts', `export * from '../job/settings.ts';`],
  ['src/api/e3.ts', `export { createActivities } from '../../activities/index.ts';`],
  ['src/api/e4.ts', `export { Worker } from '@temporalio/worker';`],
  ['src/api/e5.ts', `export { spawn } from 'node:child_process';`],
  ['src/api/e6.ts', `export * from '../server.ts';`],
  ['src/job/f1.ts', `export { connect } from '../db/connect.ts';`],
  ['src/job/f2.ts', `export { createLog } from '../log.ts';`],
  ['src/job/sinks/f3.ts', `export { connect } from '../../db/connect.ts';`],
  ['src/job/sinks/postgres/f4.ts', `export { connect } from '../../../db/connect.ts';`],
  ['src/embedded/g1.ts', `export { connect } from '../db/connect.ts';`],
  ['src/auth/r1.ts', `export { createLog } from '../log.ts';`],
  ['src/server.ts', `export { runWorker } from './worker.ts';`],
  ['src/worker.ts', `export { spawn } from 'node:child_process';`],
  ['workflows/h1.ts', `export { createActivities } from '../activities/index.ts';`],
  ['workflows/h2.ts', `export { z } from 'zod';`],
  ['workflows/h3.ts', `export { createHash } from 'node:crypto';`],
  ['workflows/h4.ts', `export { connect } from '../src/db/connect.ts';`],
  ['workflows/h5.ts', `export { Client } from '@temporalio/client';`],
  ['workflows/h6.ts', `import type { Db } from '../src/db/schema.ts';\nexport type A = Db;`],
  [
    'workflows/h7.ts',
    `import { createActivities } from '../activities/index.ts';\nexport const a = createActivities;`,
  ],
  ['activities/i1.ts', `export { runJob } from '../workflows/index.ts';`],
  ['activities/i2.ts', `export { createApp } from '../src/api/app.ts';`],
  ['activities/i3.ts', `export { readConfig } from '../src/config/config.ts';`],
  ['activities/i4.ts', `export { Client } from '@temporalio/client';`],
  ['tools/j1.ts', `export * from '../src/dev.ts';`],
  ['src/cli/l1.ts', `export { connect } from '../db/connect.ts';`],
  ['src/cli/l2.ts', `export { createApp } from '../api/app.ts';`],
  ['src/cli/l3.ts', `export * from '../server.ts';`],
  ['src/cli/l4.ts', `export * from '../operator/commands.ts';`],
  ['src/operator/m1.ts', `export * from '../server.ts';`],
  ['src/operator/m2.ts', `export { connectTemporal } from '../temporal/connect.ts';`],
  ['src/operator/m3.ts', `export { spawn } from 'node:child_process';`],
  ['src/web/n1.ts', `export * from '../operator/users.ts';`],
  ['src/engine/o1.ts', `import type { Config } from '../config/config.ts';\nexport type A = Config;`],
  ['src/engine/o2.ts', `export { createApp } from '../api/app.ts';`],
  ['src/engine/o3.ts', `export { runWorker } from '../worker.ts';`],
  ['src/config/o4.ts', `export { connect } from '../db/connect.ts';`],
  ['src/job-params/o5.ts', `export { connect } from '../db/connect.ts';`],
  ['src/notifications/o6.ts', `export { connect } from '../db/connect.ts';`],
  ['src/api/jobs/o7.ts', `export { account } from '../compat/account/account.ts';`],
  ['src/api/jobs/o8.ts', `export * from '../../runner/process/run-folder.ts';`],
  ['src/web/app/o9.ts', `export { createApp } from '../../api/app.ts';`],
  ['src/web/app/o10.ts', `export { readFileSync } from 'node:fs';`],
  ['src/web/app/o11.ts', `export { Hono } from 'hono';`],
  ['src/client/o12.ts', `export { jobJson } from '../api/jobs/job-json.ts';`],
  ['src/client/o13.ts', `export { readFileSync } from 'node:fs';`],
  ['src/cli/l5.ts', `import type { JobJson } from '../api/jobs/job-schema.ts';\nexport type A = JobJson;`],
  ['src/web/l6.ts', `import type { JobJson } from '../api/jobs/job-schema.ts';\nexport type A = JobJson;`],
  ['src/terminal/l7.ts', `export * from '../cli/output.ts';`],
  ['tools/n2.ts', `export * from '../src/operator/users.ts';`],
];

const FORBIDDEN_ENVIRONMENT = [
  'src/api/k1.ts',
  'src/db/k2.ts',
  'src/domain/k3.ts',
  'activities/k4.ts',
  'workflows/k5.ts',
];

/** Imports that each folder has, and may have. */
const ALLOWED: readonly (readonly [file: string, line: string])[] = [
  ['src/domain/z1.ts', `export * from './job.ts';`],
  ['src/db/z2.ts', `export * from '../domain/job.ts';\nexport { sql } from 'kysely';`],
  ['src/db/migrations/z3.ts', `export * from '../schema.ts';\nexport * from '../../domain/job.ts';`],
  ['src/runner/process/z4.ts', `export { spawn } from 'node:child_process';\nexport * from '../runner.ts';`],
  ['src/engine/z5.ts', `import type { Runner } from '../runner/runner.ts';\nexport type A = Runner;`],
  [
    'src/operator/z11.ts',
    `export * from '../db/access/users.ts';\nexport { readDatabaseConfig } from '../config/config.ts';`,
  ],
  ['src/cli/z9.ts', `export * from '../client/client.ts';\nexport * from '../terminal/failure.ts';`],
  ['src/api/z6.ts', `export * from '../runner/process/render.ts';\nexport { z } from '@hono/zod-openapi';`],
  ['src/job/sinks/postgres/z7.ts', `export * from '../../log.ts';\nexport * from '../../../domain/job.ts';`],
  [
    'workflows/z8.ts',
    `import type { Activities } from '../activities/index.ts';\nexport type A = Activities;`,
  ],
  ['activities/z9.ts', `export * from '../src/db/connect.ts';\nexport * from '../src/auth/report-token.ts';`],
  ['src/runner/process/z10.ts', `export const home = process.env['HOME'];`],
];

let folder: string;
/** The rules that refused, by file. */
let refusals: Map<string, Set<string>>;

beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-imports-'));
  for (const file of ['oxlint.config.ts', 'rooms.ts', 'package.json'])
    cpSync(path.join(ROOT, file), path.join(folder, file));
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
  for (const [file, line] of [...FORBIDDEN, ...ALLOWED]) plant(file, `${line}\n`);
  for (const file of FORBIDDEN_ENVIRONMENT) plant(file, `export const home = process.env['HOME'];\n`);
  for (const [file, line] of [...FORBIDDEN, ...ALLOWED]) plantTargets(file, line);
  refusals = lint();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each(FORBIDDEN)('%s may not: %s', (file) => {
  expect([...(refusals.get(file) ?? [])]).toEqual([
    expect.stringMatching(/^(boundaries\(dependencies\)|eslint\(no-restricted-imports\))$/),
  ]);
});

test.each(FORBIDDEN_ENVIRONMENT)('%s may not read process.env', (file) => {
  expect(refusals.get(file)).toEqual(new Set(['node(no-process-env)']));
});

test.each(ALLOWED)('%s may: %s', (file) => {
  expect(refusals.get(file)).toBeUndefined();
});

function plant(file: string, text: string): void {
  mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
  writeFileSync(path.join(folder, file), text);
}

/** An import of a missing file belongs to no room: this puts an empty file there. */
function plantTargets(file: string, line: string): void {
  for (const [, specifier = ''] of line.matchAll(/from '(\.[^']*)'/g)) {
    const target = path.join(path.dirname(file), specifier);
    if (!existsSync(path.join(folder, target))) plant(target, 'export {};\n');
  }
}

function lint(): Map<string, Set<string>> {
  const oxlint = path.join(ROOT, 'node_modules/.bin/oxlint');
  const ran = spawnSync(oxlint, ['--format', 'json', 'src', 'workflows', 'activities', 'tools'], {
    cwd: folder,
    encoding: 'utf8',
  });
  const { diagnostics } = JSON.parse(ran.stdout) as { diagnostics: { filename: string; code: string }[] };
  const byFile = new Map<string, Set<string>>();
  for (const { filename, code } of diagnostics)
    byFile.set(filename, new Set([...(byFile.get(filename) ?? []), code]));
  return byFile;
}
