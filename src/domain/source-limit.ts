/** SOURCE_LIMIT: how many jobs may read one source at a time, over all targets and environments. Pure. */
import { NAME_PATTERN } from './names.ts';

/** Jobs at a time, by the name of the source; a source that is not named has no limit. */
export type SourceLimits = ReadonlyMap<string, number>;

export const NO_LIMITS: SourceLimits = new Map();

/** `status_reason` of an unclaimed job that waits for a place of its source. */
export const SOURCE_LIMIT = 'source_limit';

const MOST_JOBS = 1_000;
/** Jobs that a message names; more are counted. */
const MOST_NAMED = 10;

/**
 * Reads `mam:2,erp:1`.
 * @throws Error naming the part that is wrong
 */
export function parseSourceLimits(text: string): SourceLimits {
  const limits = new Map<string, number>();
  for (const part of text.split(',').map((one) => one.trim())) {
    if (part === '') continue;
    const [, name = '', number = ''] = /^([^:]*):(\d{1,4})$/.exec(part) ?? [];
    const most = Number(number);
    if (!NAME_PATTERN.test(name) || most < 1 || most > MOST_JOBS)
      throw new Error(
        `has a part '${part.slice(0, 80)}' that is not <source>:<jobs>, such as mam:2, with 1 to ${MOST_JOBS} jobs`,
      );
    if (limits.has(name)) throw new Error(`limits the source '${name}' twice`);
    limits.set(name, most);
  }
  return limits;
}

/** What a job waits for, as its `status_detail`. */
export function placesWords(of: {
  readonly source: string;
  readonly most: number;
  /** Claimed jobs of the source, in the order of their ids. */
  readonly holders: readonly number[];
  /** Jobs of the source that wait with a smaller id. */
  readonly before: readonly number[];
}): string {
  const { source, most, holders, before } = of;
  const limit = `SOURCE_LIMIT lets ${most} ${most === 1 ? 'job' : 'jobs'} of the source '${source}' run at a time`;
  return [
    limit,
    ...(holders.length > 0 ? [`${jobsWords(holders)} ${holders.length === 1 ? 'runs' : 'run'}`] : []),
    ...(before.length > 0 ? [`${jobsWords(before)} ${before.length === 1 ? 'comes' : 'come'} first`] : []),
  ].join('; ');
}

function jobsWords(ids: readonly number[]): string {
  const named = ids.slice(0, MOST_NAMED).join(', ');
  const more = ids.length > MOST_NAMED ? ` and ${ids.length - MOST_NAMED} more` : '';
  return `${ids.length === 1 ? 'job' : 'jobs'} ${named}${more}`;
}
