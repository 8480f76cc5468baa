/** Decompresses a response body strictly: a compressed stream without its end marker is an error. */
import { pipeline, Readable, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';

/** The value of `accept-encoding`. */
export const KNOWN_ENCODINGS = 'gzip, deflate, br';

/** A compressed body is truncated or corrupt. */
export class CutBodyError extends Error {
  override readonly name = 'CutBodyError';
}

/** @returns null for an unknown encoding @throws CutBodyError while iterating */
export function decodedBody(body: Readable, encoding: string): AsyncIterable<Uint8Array> | null {
  switch (encoding.trim().toLowerCase()) {
    case '':
    case 'identity':
      return body;
    case 'gzip':
    case 'x-gzip':
      return unpacked(body, 'gzip', () => createGunzip());
    case 'br':
      return unpacked(body, 'br', () => createBrotliDecompress());
    case 'deflate':
      // Some servers omit the zlib header.
      return unpacked(body, 'deflate', (first) =>
        (first & 0x0f) === 8 ? createInflate() : createInflateRaw(),
      );
    default:
      return null;
  }
}

async function* unpacked(
  body: Readable,
  name: string,
  unpacker: (first: number) => Transform,
): AsyncGenerator<Uint8Array> {
  const packed = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await packed.next();
  // zlib accepts an empty body as complete; it is not.
  if (first.done) throw new CutBodyError(`its ${name} body is empty`);
  const output = unpacker(first.value[0] ?? 0);
  // Errors are thrown where the output is read.
  pipeline(Readable.from(withFirst(first.value, packed)), output, () => {});
  try {
    yield* output as AsyncIterable<Buffer>;
  } catch (error) {
    if (!String((error as NodeJS.ErrnoException).code).startsWith('Z_')) throw error;
    throw new CutBodyError(`its ${name} body is truncated or corrupt`, { cause: error });
  } finally {
    output.destroy();
    body.destroy();
  }
}

async function* withFirst(first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  for (
    let next: IteratorResult<Buffer> = { value: first, done: false };
    !next.done;
    next = await rest.next()
  ) {
    yield next.value;
  }
}
