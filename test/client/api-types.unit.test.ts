/** The generated types of the client match the api's present OpenAPI document. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generateTypes, TYPES_FILE } from '../../tools/openapi/generate.ts';

test('src/client/api-types.ts is what `npm run openapi` generates', { timeout: 60_000 }, async () => {
  const isCurrent = readFileSync(TYPES_FILE, 'utf8') === (await generateTypes());
  expect(isCurrent, 'the routes have changed: run `npm run openapi`').toBe(true);
});
