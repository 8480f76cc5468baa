/** Splits a byte stream into lines, in linear time. */
import { isUtf8 } from 'node:buffer';
import { setImmediate } from 'node:timers/promises';

const MOST_LINE_BYTES = 16 * 1024 * 1024;

const SLICE = 150;
const NEWLINE = 10;

/** The stream ended within a line: a truncated answer, worth a retry. */
export class TruncatedError extends Error {
  override readonly name = 'TruncatedError';
}

/** A line that is too long or not UTF-8; its bytes are dropped. */
export class UnreadableLine {
  readonly why: string;
  /** null: nothing of the line is readable. */
  readonly id: string | null;

  constructor(why: string, id: string | null = null) {
    this.why = why;
    this.id = id;
  }
}

export type Line = string | UnreadableLine;

const TOO_LONG = new UnreadableLine('it is longer than 16 MiB; split it into several records');
const NOT_UTF8 = new UnreadableLine('it is not UTF-8; the source must send UTF-8');

/**
 * Yields groups of lines without newlines and without a byte order mark.
 *
 * @param lastNeedsEnd whether a last line without its newline is a {@link TruncatedError}
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  { lastNeedsEnd }: { lastNeedsEnd: boolean },
): AsyncGenerator<readonly Line[]> {
  const begun = createLineInParts();
  let isFirst = true;
  for await (const chunk of chunks) {
    const firstEnd = chunk.indexOf(NEWLINE);
    if (firstEnd < 0) {
      begun.add(chunk);
      continue;
    }
    const lastEnd = chunk.lastIndexOf(NEWLINE);
    begun.add(chunk.subarray(0, firstEnd));
    const lines = [begun.take()];
    if (lastEnd > firstEnd) lines.push(...linesIn(bufferOf(chunk.subarray(firstEnd + 1, lastEnd))));
    begun.add(chunk.subarray(lastEnd + 1));
    if (isFirst) lines[0] = withoutMark(lines[0] ?? '');
    isFirst = false;
    for (let start = 0; start < lines.length; start += SLICE) {
      // Parsing blocks the event loop; yield here, so that writes to the sink progress.
      await setImmediate();
      yield lines.slice(start, start + SLICE);
    }
  }
  if (begun.isEmpty()) return;
  if (lastNeedsEnd) throw new TruncatedError('the last line has no newline');
  const last = begun.take();
  yield [isFirst ? withoutMark(last) : last];
}

/** Assembles a line that spans several chunks. Beyond the limit it counts and drops the bytes. */
function createLineInParts() {
  let parts: Uint8Array[] = [];
  let bytes = 0;
  return {
    isEmpty: () => bytes === 0,
    add(part: Uint8Array): void {
      bytes += part.length;
      if (bytes > MOST_LINE_BYTES) parts = [];
      else if (part.length > 0) parts.push(part);
    },
    take(): Line {
      const [only, ...more] = parts;
      const line =
        bytes > MOST_LINE_BYTES
          ? TOO_LONG
          : decoded(more.length === 0 ? bufferOf(only ?? new Uint8Array()) : Buffer.concat(parts));
      parts = [];
      bytes = 0;
      return line;
    },
  };
}

function linesIn(block: Buffer): Line[] {
  if (block.length <= MOST_LINE_BYTES && isUtf8(block)) return block.toString('utf8').split('\n');
  const lines: Line[] = [];
  for (let start = 0; start <= block.length; ) {
    const newline = block.indexOf(NEWLINE, start);
    const end = newline < 0 ? block.length : newline;
    lines.push(end - start > MOST_LINE_BYTES ? TOO_LONG : decoded(block.subarray(start, end)));
    start = end + 1;
  }
  return lines;
}

function decoded(line: Buffer): Line {
  return isUtf8(line) ? line.toString('utf8') : NOT_UTF8;
}

function withoutMark(line: Line): Line {
  return typeof line === 'string' && line.startsWith('\uFEFF') ? line.slice(1) : line;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
