/** Cuts a stream of bytes into lines. Knows nothing of what a line means. */

import { setImmediate } from 'node:timers/promises';

const SLICE = 150;

/** The stream ended in mid line: a truncated answer, worth another try. */
export class TruncatedError extends Error {
  override readonly name = 'TruncatedError';
}

/** Whole lines, some at a time; throws {@link TruncatedError} if the last has no newline. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (let start = 0; start < lines.length; start += SLICE) {
      // Parsing keeps the only thread busy: whoever writes must get a word in, or the sink stands idle.
      await setImmediate();
      yield lines.slice(start, start + SLICE);
    }
  }
  rest += decoder.decode();
  if (rest !== '') throw new TruncatedError('the last line has no end');
}

/** Whether `id` comes after `previous` in byte order. */
export function isAfter(id: string, previous: string): boolean {
  // UTF-16 order is byte order except around surrogates, so bytes are compared only when it says no.
  return id > previous || Buffer.compare(Buffer.from(id), Buffer.from(previous)) > 0;
}
