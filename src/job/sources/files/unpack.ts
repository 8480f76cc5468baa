/** Unpacks the bytes of a file, whatever its name says, and proves that its compressed stream is whole. */
import { pipeline, Readable, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { CutFileError } from './cut-file.ts';
import { createFrameWalker } from './zstd-frames.ts';

export type Packing = 'none' | 'gzip' | 'zstd';

export function packingOf(first: Uint8Array): Packing {
  if (first[0] === 0x1f && first[1] === 0x8b) return 'gzip';
  const isFrame = first[0] === 0x28 && first[1] === 0xb5 && first[2] === 0x2f && first[3] === 0xfd;
  const isSkippable =
    ((first[0] ?? 0) & 0xf0) === 0x50 && first[1] === 0x2a && first[2] === 0x4d && first[3] === 0x18;
  return isFrame || isSkippable ? 'zstd' : 'none';
}

export type Unpacked = {
  /** @throws CutFileError while iterating */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Whether one compressed stream held them all. The end of one of several does not tell that no further one is missing. */
  readonly isOneStream: () => boolean;
};

export function unpacked(chunks: AsyncIterable<Uint8Array>, packing: Packing): Unpacked {
  if (packing === 'none') return { bytes: chunks, isOneStream: () => false };
  return packing === 'gzip' ? ungzip(chunks) : unzstd(chunks);
}

/** The last four bytes of a gzip stream are the length of what it holds. */
function ungzip(chunks: AsyncIterable<Uint8Array>): Unpacked {
  let end: Buffer = Buffer.alloc(4);
  let length = 0;
  async function* watched(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      end = Buffer.from(Buffer.concat([end, chunk.subarray(-4)]).subarray(-4));
      yield chunk;
    }
  }
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of through(watched(), createGunzip(), 'gzip')) {
      length += chunk.length;
      yield chunk;
    }
  }
  return { bytes: counted(), isOneStream: () => end.readUInt32LE() === length % 2 ** 32 };
}

async function* through(
  packed: AsyncIterable<Uint8Array>,
  output: Transform,
  name: Packing,
): AsyncGenerator<Uint8Array> {
  const source = Readable.from(packed);
  // Errors are thrown where the output is read.
  pipeline(source, output, () => {});
  try {
    yield* output as AsyncIterable<Buffer>;
  } catch (error) {
    if (!/^(Z_|ZSTD_)/.test(String((error as NodeJS.ErrnoException).code))) throw error;
    throw new CutFileError(`its ${name} stream is cut or corrupt`, { cause: error });
  } finally {
    output.destroy();
    source.destroy();
  }
}

function unzstd(chunks: AsyncIterable<Uint8Array>): Unpacked {
  let frames = 0;
  return { bytes: framewise(chunks, () => (frames += 1)), isOneStream: () => frames === 1 };
}

/** @param onFrame called for each frame that holds data */
async function* framewise(
  chunks: AsyncIterable<Uint8Array>,
  onFrame: () => void,
): AsyncGenerator<Uint8Array> {
  const walker = createFrameWalker();
  const pieces = piecesOf(chunks, walker)[Symbol.asyncIterator]();
  for (let next = await pieces.next(); !next.done; next = await pieces.next()) {
    // Only the walker looks at skippable frames.
    if (!next.value.holdsData) continue;
    onFrame();
    yield* through(frameFrom(next.value, pieces), createZstdDecompress(), 'zstd');
  }
  if (!walker.isWhole()) throw new CutFileError('its zstd stream is cut');
}

/** A part of one frame. */
type Piece = { readonly bytes: Uint8Array; readonly ends: boolean; readonly holdsData: boolean };

async function* piecesOf(
  chunks: AsyncIterable<Uint8Array>,
  walker: ReturnType<typeof createFrameWalker>,
): AsyncGenerator<Piece> {
  /** The first bytes of a frame, too few to tell its kind. */
  let held: Uint8Array = new Uint8Array();
  const whole = (bytes: Uint8Array): Uint8Array => {
    const joined = held.length === 0 ? bytes : Buffer.concat([held, bytes]);
    held = new Uint8Array();
    return joined;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (const { at, holdsData } of walker.walk(chunk)) {
      yield { bytes: whole(chunk.subarray(start, at)), ends: true, holdsData };
      start = at;
    }
    const rest = whole(chunk.subarray(start));
    const holdsData = walker.holdsData();
    if (holdsData === null) held = rest;
    else if (rest.length > 0) yield { bytes: rest, ends: false, holdsData };
  }
}

async function* frameFrom(first: Piece, rest: AsyncIterator<Piece>): AsyncGenerator<Uint8Array> {
  yield first.bytes;
  for (let { ends } = first; !ends; ) {
    const next = await rest.next();
    if (next.done) return;
    yield next.value.bytes;
    ends = next.value.ends;
  }
}
