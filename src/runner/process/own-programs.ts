/** Paths of the programs that we start as processes: TypeScript in a checkout, JavaScript in the built app. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const extension = path.extname(import.meta.filename);

/** Working folder of the programs. */
export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** Relative to ROOT. */
export const SYNC_PROGRAM = `src/job/main${extension}`;
export const SUPERVISOR = path.join(import.meta.dirname, `supervisor${extension}`);
