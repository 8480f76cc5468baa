/**
 * `npm run build:app`: builds api, worker, command line and sync program into dist/app, as JavaScript that needs no
 * other node_modules. Files that code finds by path keep the paths of the checkout.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { copyFiles } from './files.ts';
import { keepPlaces, placeOf } from './preserve-import-meta.ts';
import { licensesOf } from './licenses.ts';
import { withoutWebpack } from './without-webpack.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const APP = path.join(ROOT, 'dist/app');

/** Entry points started by path, each at the same path as in the checkout. The last is a thread of Temporal's worker. */
const PROGRAMS = [
  'src/cli/main.ts',
  'src/job/main.ts',
  'src/runner/process/supervisor.ts',
  'node_modules/@temporalio/worker/lib/workflow/workflow-worker-thread.js',
];
/**
 * Loaded from node_modules: argon2 (files.ts) and DuckDB choose their native library; the Dockerfile adds DuckDB, whose 70 MB
 * only SOURCE=files needs. pg works without pg-native.
 */
const NOT_BUNDLED = ['@node-rs/argon2', '@duckdb/node-api', 'pg-native'];

rmSync(APP, { recursive: true, force: true });
mkdirSync(APP, { recursive: true });
const modules = await bundle();
const { name, version, license } = JSON.parse(
  readFileSync(path.join(ROOT, 'package.json'), 'utf8'),
) as Record<string, string>;
writeFileSync(
  path.join(APP, 'package.json'),
  `${JSON.stringify({ name, version, license, type: 'module' }, undefined, 2)}\n`,
);
copyFiles(ROOT, APP);
writeFileSync(path.join(APP, 'THIRD-PARTY-LICENSES.txt'), licensesOf(modules, ROOT));
await promisify(execFile)(process.execPath, [
  path.join(ROOT, 'src/workflow-bundle.ts'),
  path.join(APP, 'workflow-bundle.js'),
]);

/** @returns the files of all bundled modules */
async function bundle(): Promise<string[]> {
  const build = await rolldown({
    cwd: ROOT,
    input: Object.fromEntries(
      PROGRAMS.map((file) => [placeOf(path.join(ROOT, file), ROOT).replace(/\.js$/, ''), file]),
    ),
    platform: 'node',
    external: NOT_BUNDLED,
    plugins: [withoutWebpack(), keepPlaces(ROOT)],
  });
  const { output } = await build.write({
    dir: APP,
    format: 'esm',
    comments: false,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
  });
  await build.close();
  return output.flatMap((file) => (file.type === 'chunk' ? file.moduleIds : []));
}
