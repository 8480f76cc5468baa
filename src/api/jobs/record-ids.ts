/** Ids of records in a request, and as the options of the job that handles them. */
import { z } from '@hono/zod-openapi';
import { text } from '../http/fields.ts';

const MOST = 50;
/** Leaves room for the OPTIONS of the sync in the options of a job. */
const MOST_CHARACTERS = 1500;

export const recordIds = z
  .array(text(1000, 1))
  .min(1)
  .max(MOST)
  .refine((ids) => recordFlags(ids).join(' ').length <= MOST_CHARACTERS, {
    error: 'are too long together: ask for some of them, then for the others',
  });

/** Options are words without spaces, so ids are percent-encoded; also a dash in front, as of an id `--preview`. */
export function recordFlags(ids: readonly string[]): string[] {
  return ids.flatMap((id) => ['--id', encodeURIComponent(id).replace(/^-/, '%2D')]);
}
