/** `npm run openapi`: rewrites src/client/api-types.ts. */
import { writeFileSync } from 'node:fs';
import { generateTypes, TYPES_FILE } from './generate.ts';

writeFileSync(TYPES_FILE, await generateTypes());
