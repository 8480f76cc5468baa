/** Bounded queue of log lines between the reader of the cluster's stream and its consumer; a full queue stops the reader. */
import type { LogPart } from '../../runner.ts';

const PART_BYTES = 64 * 1024;
const QUEUE_BYTES = 256 * 1024;

export type LineQueue = {
  add(bytes: Buffer, mark: string): void;
  /** Resolves when there is room for more. */
  room(): Promise<void>;
  /** Resolves when the queue holds a line. */
  filled(): Promise<void>;
  take(): LogPart | undefined;
};

/**
 * @param offset offset of the first byte that will be added
 * @param closed aborted when the consumer has stopped: the reader then waits no more
 */
export function createLineQueue(offset: number, closed: AbortSignal): LineQueue {
  let lines: { bytes: Buffer; mark: string }[] = [];
  let size = 0;
  let at = offset;
  let wakeReader = () => {};
  let wakeConsumer = () => {};
  closed.addEventListener('abort', () => wakeReader());
  return {
    add(bytes, mark) {
      lines.push({ bytes, mark });
      size += bytes.length;
      wakeConsumer();
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
        wakeConsumer = resolve;
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
