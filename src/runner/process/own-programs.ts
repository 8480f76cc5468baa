/** Our own programs as files that a process is started with: TypeScript in a checkout, JavaScript where it was built. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const extension = path.extname(import.meta.filename);

/** Where they are started. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** From the root. */
export const SYNC_PROGRAM = `src/job/main${extension}`;
export const SUPERVISOR = path.join(import.meta.dirname, `supervisor${extension}`);
