/** Source `ndjson` over a local file: the lines of src/job/sources/ndjson-http.ts, all in one file, ordered by id. */

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { JobError, reasonOf } from '../job-error.ts';
import { batchesOf, type Piece } from './batches.ts';
import { isAfter, linesOf } from './lines.ts';
import { parseId, parseRecord } from './ndjson-line.ts';
import type { Cursor, Source, SourceRecord } from './source.ts';

/** The file's own time is when it was written: what changed later must come with the next file. */
export function createNdjsonFileSource({ path, stop }: { path: string; stop: AbortSignal }): Source {
  return {
    shownAs: path,

    async survey() {
      try {
        return { now: (await stat(path)).mtime, total: null };
      } catch (error) {
        throw new JobError('failed', `source: ${reasonOf(error)}`, { cause: error });
      }
    },

    changedSince: (since, from, batchSize) => batchesOf(records(path, stop, since, from), batchSize),

    ids: () => parsed(path, stop, parseId, (id) => id),
  };
}

async function* records(
  path: string,
  stop: AbortSignal,
  since: Date | null,
  from: Cursor | null,
): AsyncGenerator<Piece<SourceRecord>> {
  let done = from?.done ?? 0;
  for await (const all of parsed(path, stop, parseRecord, (record) => record.id)) {
    const items = all.filter(
      ({ id, updated_at }) =>
        (since === null || Date.parse(updated_at) >= since.getTime()) &&
        (from === null || isAfter(id, from.after)),
    );
    const last = items.at(-1);
    if (!last) continue;
    done += items.length;
    yield { items, cursor: { after: last.id, done } };
  }
}

async function* parsed<T>(
  path: string,
  stop: AbortSignal,
  parse: (line: string, where: () => string) => T,
  idOf: (item: T) => string,
): AsyncGenerator<T[]> {
  let number = 0;
  let previous: string | null = null;
  const where = (): string => `line ${number} of ${path}`;
  try {
    for await (const lines of linesOf(createReadStream(path, { signal: stop, highWaterMark: 1 << 20 }))) {
      yield lines.map((text) => {
        number += 1;
        const item = parse(text, where);
        const id = idOf(item);
        if (previous !== null && !isAfter(id, previous)) {
          throw new JobError('failed', `${where()}: ids must come in byte order, each once`);
        }
        previous = id;
        return item;
      });
    }
  } catch (error) {
    stop.throwIfAborted();
    if (error instanceof JobError) throw error;
    throw new JobError('failed', `source ${path}: ${reasonOf(error)}`, { cause: error });
  }
}
