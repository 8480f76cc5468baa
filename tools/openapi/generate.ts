/** Generates the types of the client from the OpenAPI document. */
import { execFileSync } from 'node:child_process';
import { registerHooks } from 'node:module';
import path from 'node:path';
import { readDocument } from './document.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
export const TYPES_FILE = path.join(ROOT, 'src/client/api-types.ts');

const HEAD = `/* oxlint-disable -- generated */
/**
 * Types of every route's requests and answers.
 * Generated from our own \`/openapi.json\`: change the schemas in src/api, then run \`npm run openapi\`.
 */
`;

/** @returns the formatted text of TYPES_FILE */
export async function generateTypes(): Promise<string> {
  // openapi-typescript prints through the compiler's JavaScript API, which TypeScript 7 lacks.
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier === 'typescript' ? 'typescript-5' : specifier, context),
  });
  try {
    const { default: openapiTypes, astToString } = await import('openapi-typescript');
    const types = astToString(await openapiTypes(relevantParts(await readDocument())));
    return format(HEAD + types);
  } finally {
    hooks.deregister();
  }
}

/**
 * Removes what the types do not need, and what would be most of the file: examples, and refusals, which the client
 * throws as `Refused`.
 */
function relevantParts(document: string): string {
  return JSON.stringify(
    JSON.parse(document, (key, value: unknown) => {
      if (key === 'example' || key === 'examples') return undefined;
      return /^[45]\d\d$/.test(key) ? undefined : value;
    }),
  );
}

function format(text: string): string {
  const biome = path.join(ROOT, 'node_modules/.bin/biome');
  return execFileSync(biome, ['format', `--stdin-file-path=${TYPES_FILE}`], {
    cwd: ROOT,
    input: text,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
}
