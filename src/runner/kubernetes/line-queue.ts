/** Lines between who reads them from the cluster and who takes them: of a bounded size, beyond which the reader waits. */
import type { LogPart } from '../runner.ts';

const PART_BYTES = 64 * 1024;
const QUEUE_BYTES = 256 * 1024;

export type LineQueue = {
  add(bytes: Buffer, mark: string): void;
  /** Resolves when there is room for more. */
  room(): Promise<void>;
  /** Resolves when there is something to take. */
  filled(): Promise<void>;
  take(): LogPart | undefined;
};

/**
 * @param offset of the first byte that will be added
 * @param closed nobody takes any more: nothing is waited for
 */
export function createLineQueue(offset: number, closed: AbortSignal): LineQueue {
  let lines: { bytes: Buffer; mark: string }[] = [];
  let size = 0;
  let at = offset;
  let wakeReader = () => {};
  let wakeTaker = () => {};
  closed.addEventListener('abort', () => wakeReader());
  return {
    add(bytes, mark) {
      lines.push({ bytes, mark });
      size += bytes.length;
      wakeTaker();
    },
    async room() {
      while (size > QUEUE_BYTES && !closed.aborted)
        await new Promise<void>((resolve) => {
          wakeReader = resolve;
        });
    },
    async filled() {
      if (lines.length > 0) return;
      await new Promise<void>((resolve) => {
        wakeTaker = resolve;
      });
    },
    take() {
      let length = 0;
      let count = 0;
      for (const { bytes } of lines) {
        if (count > 0 && length + bytes.length > PART_BYTES) break;
        length += bytes.length;
        count += 1;
      }
      const last = lines[count - 1];
      if (!last) return undefined;
      const bytes = Buffer.concat(lines.slice(0, count).map((line) => line.bytes));
      const part = { offset: at, bytes, next: { offset: at + length, mark: last.mark } };
      lines = lines.slice(count);
      size -= length;
      at += length;
      wakeReader();
      return part;
    },
  };
}
