/** Tells the api, at the end of a job that may have changed it, which records wait for an answer. */
import { maskCredentials } from '../../domain/mask.ts';
import type { Action } from '../arguments.ts';
import { JobError } from '../job-error.ts';
import type { Sink } from '../sinks/sink.ts';
import type { Api } from './job-route.ts';
import { uploadHeld } from './upload.ts';

const LONGEST_WARNING = 500;

/** Actions whose job may change the waiting set for good; a listing's evidence or a rollback's effect is whole then. */
const CHANGE_IT: ReadonlySet<Action> = new Set(['sync', 'delete', 'rollback', 'remove', 'apply']);
/** A delta that neither holds nor forces is frequent, and leaves the set as it is. */
const MAY_HOLD: ReadonlySet<Action> = new Set(['delta']);

/**
 * The data are safe in any case, and the next run tells them.
 *
 * @param api null: nobody is told @param of.holds records wait after the job, or it may have removed all that waited @returns a warning, or null
 */
export async function reportHeld(
  { held }: Pick<Sink, 'held'>,
  api: Api | null,
  { action, holds }: { action: Action; holds: boolean },
): Promise<string | null> {
  if (!held || api === null) return null;
  if (!CHANGE_IT.has(action) && !(holds && MAY_HOLD.has(action))) return null;
  const why = await uploadHeld(held, api).catch((error: unknown) => faultOfSink(error, api));
  if (why === null) return null;
  return maskCredentials(`the held records were not reported: ${why}`).slice(0, LONGEST_WARNING);
}

/** The job is applied already, so a sink that cannot be read now is no reason to fail. @throws the error otherwise */
function faultOfSink(error: unknown, { stop }: Api): string {
  if (!(error instanceof JobError) || error.code === 'refused' || stop.aborted) throw error;
  return error.message;
}
