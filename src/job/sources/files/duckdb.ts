/**
 * DuckDB in this process: it reads local files alone, of the list that it is given, without extensions, and within a limit
 * of memory. The library is loaded on first use, since the base image does not have it.
 */
import { totalmem } from 'node:os';
import { join } from 'node:path';
import type * as duckdbApi from '@duckdb/node-api';
import type { DuckDBConnection, DuckDBDataChunk, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import { JobError, reasonOf } from '../../job-error.ts';

type DuckdbModule = typeof duckdbApi;

/** A limit for one group of rows: a disk that has gone away would hold a run for ever. */
const GROUP_MS = 10 * 60_000;
const GROUP_LENGTH = 512 * 1024;
const MIB = 1024 ** 2;
const [LEAST_BYTES, MOST_BYTES] = [256 * MIB, 2048 * MIB];
/** Enough for the buffers of a file, as wide as its rows may be. */
const BUFFER_BYTES = 128 * MIB;
/** DuckDB holds the rows of a chunk up to three times. */
const CHUNK_ROWS = 3 * 2048;

export type Duckdb = {
  readonly library: DuckdbModule;
  /** The columns of a statement's result. */
  readonly columns: (sql: string) => Promise<readonly { name: string; type: DuckDBType }[]>;
  /** The rows of a statement, in groups. */
  readonly rows: (sql: string) => AsyncGenerator<readonly (readonly DuckDBValue[])[]>;
  readonly close: () => void;
};

/**
 * @param of.files paths that it may read, with all links resolved
 * @param of.folder whose files it may read, too
 * @param of.longest bytes of the longest row, where they are known: DuckDB keeps what it has read of a file as long as its
 *   limit allows, so the limit is no higher than the rows need
 */
export async function openDuckdb(of: {
  files: readonly string[];
  folder: string;
  stop: AbortSignal;
  longest?: number | undefined;
}): Promise<Duckdb> {
  const library = await loadDuckdb();
  const instance = await library.DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: `${Math.floor(Math.min(memoryLimit(), neededFor(of.longest)) / MIB)}MiB`,
    temp_directory: join(of.folder, 'duckdb'),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  const interrupt = (): void => connection.interrupt();
  const close = (): void => {
    of.stop.removeEventListener('abort', interrupt);
    connection.closeSync();
    instance.closeSync();
  };
  try {
    for (const sql of [
      `SET allowed_directories = [${quoted(`${of.folder}/`)}]`,
      `SET allowed_paths = [${of.files.map(quoted).join(', ')}]`,
      // By DuckDB's own count, which leaves texts out: a larger buffer would hold a whole file of wide rows.
      `SET streaming_buffer_size = '1KB'`,
      'SET enable_external_access = false',
      'SET lock_configuration = true',
    ])
      await connection.run(sql);
  } catch (error) {
    close();
    throw error;
  }
  of.stop.addEventListener('abort', interrupt, { once: true });
  return {
    library,
    close,
    async columns(sql) {
      const result = await withinTime(connection, connection.run(sql));
      return result.columnNames().map((name, at) => ({ name, type: result.columnType(at) }));
    },
    async *rows(sql) {
      const result = await withinTime(connection, connection.stream(sql));
      for (;;) {
        of.stop.throwIfAborted();
        const chunk: DuckDBDataChunk | null = await withinTime(connection, result.fetchChunk());
        if (chunk === null || chunk.rowCount === 0) return;
        yield* groupsOf(chunk);
        // The texts of a chunk would stay until the garbage collector happens to find it.
        chunk.reset();
      }
    },
  };
}

/** The rows of a chunk, few at a time: a chunk has 2,048 rows, however wide, and their texts would fill the heap. */
function* groupsOf(chunk: DuckDBDataChunk): Generator<DuckDBValue[][]> {
  let group: DuckDBValue[][] = [];
  let length = 0;
  for (let at = 0; at < chunk.rowCount; at += 1) {
    const values = chunk.getRowValues(at);
    group.push(values);
    for (const value of values) length += typeof value === 'string' ? value.length : 8;
    if (length < GROUP_LENGTH) continue;
    yield group;
    group = [];
    length = 0;
  }
  if (group.length > 0) yield group;
}

/** A text in a statement. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** The reason of a failed statement: DuckDB's further lines quote data. @param name of the file, instead of its path */
export function duckdbError(error: unknown, { path, name }: { path: string; name: string }): JobError {
  if (error instanceof JobError) return error;
  const [line = ''] = reasonOf(error).split('\n');
  const words = line.replaceAll(path, () => name);
  if (/^Out of Memory/i.test(line)) {
    const fix = 'its rows are wide: give the job more memory, such as MEMORY=2Gi in the params file';
    return new JobError(
      'failed',
      `${name} needs more memory than ${Math.floor(memoryLimit() / MIB)} MiB; ${fix}`,
      { cause: error },
    );
  }
  return new JobError('failed', `cannot read ${name}: ${words}`, { cause: error });
}

/** Half of what this process may use: Node and the rows in hand need the rest. */
function memoryLimit(): number {
  const whole = Math.min(process.constrainedMemory() || Infinity, totalmem());
  return Math.min(Math.max(whole / 2, LEAST_BYTES), MOST_BYTES);
}

function neededFor(longest = Infinity): number {
  return BUFFER_BYTES + CHUNK_ROWS * longest;
}

async function withinTime<T>(connection: DuckDBConnection, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => connection.interrupt(), GROUP_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

/** @throws JobError `notConfigured` without the library */
export async function loadDuckdb(): Promise<DuckdbModule> {
  try {
    const library = await import('@duckdb/node-api');
    // Its texts of times would have the offset that this machine has today.
    library.DuckDBTimestampTZValue.timezoneOffsetInMinutes = 0;
    return library;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const words =
      code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
        ? 'SOURCE=files needs DuckDB, which this image does not have; build it with --build-arg DUCKDB=yes (docs/how-to/files.md)'
        : `DuckDB cannot be loaded (${reasonOf(cause)}); install the package @duckdb/node-api for this machine`;
    throw new JobError('notConfigured', words, { cause });
  }
}
