/** Action story: tells the api what the history knows of one record. Reads only. Logs no id: an id may name a person. */
import { JobError } from '../job-error.ts';
import type { Api } from '../losses/job-route.ts';
import { uploadStory } from '../story/upload.ts';
import type { ActionContext } from './action.ts';

/** @param api null for a run by hand @throws JobError */
export async function story(
  { sink, log }: Pick<ActionContext, 'sink' | 'log'>,
  [id = '']: readonly string[],
  api: Api | null,
): Promise<void> {
  if (!sink.story)
    throw new JobError(
      'notConfigured',
      `${sink.place} keeps no history of single records; only SINK=postgres does. Ask the sink itself for the live record`,
    );
  if (api === null)
    throw new JobError(
      'notConfigured',
      'SYNCRATOR_REPORT_URL is missing: a story is told to the api alone; ask for it there (syncrator story)',
    );
  const told = await sink.story(id);
  log.info(`the history has ${told.entries.length + told.older} entries of the record`);
  await uploadStory(told, api);
}
