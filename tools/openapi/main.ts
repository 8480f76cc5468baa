/** Writes src/client/api-types.ts anew: `npm run openapi`. */
import { writeFileSync } from 'node:fs';
import { generateTypes, TYPES_FILE } from './generate.ts';

writeFileSync(TYPES_FILE, await generateTypes());
