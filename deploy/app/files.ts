/** Lists the files that are not modules of the bundle: native libraries, served files, and a file that a library reads. */
import { cpSync, existsSync, globSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const MODULES = 'node_modules';
/** Our own licence and notice, beside THIRD-PARTY-LICENSES.txt. */
const OWN_TERMS = ['LICENSE', 'NOTICE'];

/**
 * Copies the files from the checkout to the same places below `app`; of native libraries only those that this
 * machine loads.
 * @throws Error that names the missing file
 */
export function copyFiles(root: string, app: string): void {
  for (const file of [
    ...OWN_TERMS,
    ...served(),
    ...native(root),
    `${MODULES}/source-map/lib/mappings.wasm`,
  ]) {
    const from = path.join(root, file);
    if (!existsSync(from)) throw new Error(`${file} is missing: run npm ci and npm run build:page`);
    cpSync(from, path.join(app, file), { recursive: true });
  }
}

function served(): string[] {
  const swagger = [
    'package.json',
    'LICENSE',
    'NOTICE',
    'swagger-ui.css',
    'swagger-ui-bundle.js',
    'favicon-32x32.png',
  ];
  return ['dist/web', 'src/cli/shells', ...swagger.map((file) => `${MODULES}/swagger-ui-dist/${file}`)];
}

function native(root: string): string[] {
  const { getPrebuiltPath } = createRequire(import.meta.url)('@temporalio/core-bridge/common') as {
    getPrebuiltPath: () => string;
  };
  const argon2 = `${MODULES}/@node-rs/argon2`;
  const libraries = globSync(`${argon2}-*/{package.json,*.node}`, { cwd: root });
  if (libraries.length < 2) throw new Error('@node-rs/argon2 lacks the library for this machine: run npm ci');
  const loader = ['package.json', 'index.js', 'LICENSE'].map((file) => `${argon2}/${file}`);
  return [path.relative(root, getPrebuiltPath()), ...loader, ...libraries];
}
