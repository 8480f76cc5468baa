/**
 * Measures how memory and time grow with the number of records: the program alone, from a file of 300-byte records
 * into Postgres.
 */

import { createWriteStream, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { onDatabase, withPostgres } from './cities-load.ts';
import type { Figure } from './figure.ts';
import { timedProgram } from './timed-program.ts';

export const group = 'volume';

const LINE_BYTES = 300;

/** A tenth with `--once`. */
export async function run({ once: short }: { once: boolean }): Promise<Figure[]> {
  const [few, many] = short ? [50_000, 500_000] : [500_000, 5_000_000];
  return await withPostgres(async (postgres, directory) => {
    const database = postgres.url('postgres');
    const small = await syncOf(few, database, directory);
    const large = await syncOf(many, database, directory);
    const named = (count: number): string => count.toLocaleString('en');
    return [
      {
        bench: `memory of a sync of ${named(many)}, beside ${named(few)}`,
        unit: 'MB',
        ours: [large.megabytes],
        raw: [small.megabytes],
        bound: 'ours < 300 MB',
      },
      {
        bench: `time per record of a sync of ${named(many)}, beside ${named(few)}`,
        unit: 'µs',
        ours: [large.microseconds],
        raw: [small.microseconds],
        bound: 'ours/raw <= 1.5',
      },
    ];
  });
}

async function syncOf(
  count: number,
  database: string,
  directory: string,
): Promise<{ megabytes: number; microseconds: number }> {
  const file = join(directory, `${count}.ndjson`);
  await pipeline(Readable.from(lines(count)), createWriteStream(file));
  // Dates the file back: the source would wait for a younger one.
  const aMinuteAgo = Date.now() / 1000 - 60;
  utimesSync(file, aMinuteAgo, aMinuteAgo);
  await onDatabase(database, (client) =>
    client.query('DROP TABLE IF EXISTS volume; DROP SCHEMA IF EXISTS syncrator CASCADE'),
  );
  const { seconds, megabytes } = await timedProgram(['src/job/main.ts', 'sync'], {
    SOURCE: 'ndjson',
    SOURCE_FILE: file,
    SOURCE_FILE_COMPLETE: 'true',
    SINK: 'postgres',
    SINK_URL: database,
    SINK_TABLE: 'volume',
  });
  return { megabytes, microseconds: (seconds * 1e6) / count };
}

function* lines(count: number): Generator<string> {
  const padding = 'x'.repeat(LINE_BYTES - 90);
  for (let start = 0; start < count; start += 1000) {
    let text = '';
    for (let at = start; at < Math.min(count, start + 1000); at += 1) {
      text += `{"id":"k${String(at).padStart(9, '0')}","updated_at":"2026-01-01T00:00:${String(at % 60).padStart(2, '0')}Z","n":${at},"text":"${padding}"}\n`;
    }
    yield text;
  }
  yield `{"end":true,"total":${count}}\n`;
}
