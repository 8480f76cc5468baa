/** Reads a file once from its first byte to its last: is it what its name says, and is it whole? */
import { JobError } from '../../job-error.ts';
import { foreignForm } from '../foreign-form.ts';
import type { FileFormat } from './format.ts';
import { createScan } from './scan.ts';
import type { Scanned } from './scanned.ts';
import { type Packing, packingOf, unpacked } from './unpack.ts';

export type Inspected = {
  readonly packing: Packing;
  /** Packed as one stream, whose end is that of the file. */
  readonly isOneStream: boolean;
  readonly scanned: Scanned;
};

/** Only DuckDB looks into Parquet: its reader begins at the footer, and does not open a file without one. */
const UNSEEN: Scanned = { records: null, lineEnded: null };

/** @throws CutFileError, JobError for another format */
export async function inspect(
  chunks: AsyncIterable<Uint8Array>,
  { name, format, stop }: { name: string; format: FileFormat; stop: AbortSignal },
): Promise<Inspected> {
  const bytes = chunks[Symbol.asyncIterator]();
  const first = await bytes.next();
  const packing = first.done === true ? 'none' : packingOf(first.value);
  if (format === 'parquet') {
    await bytes.return?.();
    if (packing === 'none') return { packing, isOneStream: false, scanned: UNSEEN };
    throw new JobError(
      'notConfigured',
      `${name} is Parquet in a ${packing} stream; Parquet packs itself, so write it plainly`,
    );
  }
  const scan = createScan(format);
  let isFirst = true;
  const content = unpacked(joined(first, bytes), packing);
  for await (const chunk of content.bytes) {
    stop.throwIfAborted();
    if (isFirst) refuseForeign(chunk, name, format);
    isFirst = false;
    scan.take(chunk);
  }
  return { packing, isOneStream: content.isOneStream(), scanned: scan.end() };
}

function refuseForeign(first: Uint8Array, name: string, format: FileFormat): void {
  const form = foreignForm(first);
  if (form === null || (format !== 'ndjson' && form.startsWith('a JSON array'))) return;
  throw new JobError('failed', `${name} holds ${form}`);
}

async function* joined(
  first: IteratorResult<Uint8Array>,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    for (let next = first; next.done !== true; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
