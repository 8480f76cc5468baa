/**
 * The log of one pod, followed as it grows. Its place is the last line's time stamp and how many lines had that very
 * stamp, since the apiserver takes a time (in whole seconds) to go on from, not an offset.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { LogOver, LogPlace, LogReader } from '../runner.ts';
import type { KubernetesClient } from './client.ts';
import { hasStatus } from './errors.ts';
import { createLineQueue } from './line-queue.ts';
import { compareStamps, hasStamp, parseMark, splitLines } from './log-lines.ts';

export type LogOf = {
  /** The pod's name once its container has started; until then there is nothing to follow. */
  readonly pod: () => string | undefined;
  /** Nothing more will come: its container has ended, as far as is known. */
  readonly ended: () => boolean;
  /** The same as `pod`, asked anew, for who has not followed it; `end`: it is there and never started, `gone`: it is not. */
  readonly find: () => Promise<{ readonly pod: string } | LogOver>;
  readonly container: string;
};

/** What is waited for something to come of an ended program's log. */
const TO_END_MS = 1_000;
const RETRY_MS = 1_000;
const NEWS_MS = 500;
/** The node keeps few and small files of a log, and throws the oldest away. */
const ROTATED = '[Syncrator: lines are missing here: the node had removed them before they could be read]\n';

/**
 * @param onNews called when there is something to read
 * @param onTrouble called with the first error of each stretch of trouble; reading goes on, nothing depends on a log
 */
export function openPodLog(
  client: KubernetesClient,
  of: LogOf,
  options: { from: LogPlace; onNews: () => void; onTrouble: (error: unknown) => void },
): LogReader {
  const closed = new AbortController();
  const told = new AbortController();
  const queue = createLineQueue(options.from.offset, closed.signal);
  let place = parseMark(options.from.mark);
  let following: Promise<void> | undefined;
  let over: LogOver | undefined;
  let news: NodeJS.Timeout | undefined;

  return {
    async read({ toEnd }) {
      const pod = of.pod();
      if (pod !== undefined) following ??= follow(pod);
      if (!toEnd) return queue.take();
      told.abort();
      following ??= followFound();
      const part = queue.take();
      if (part) return part;
      await Promise.race([following, queue.filled(), wait(TO_END_MS, undefined, { ref: false })]);
      return queue.take() ?? over;
    },
    close() {
      closed.abort();
      clearTimeout(news);
    },
  };

  /** A chatty program does not wake its watcher with every line. */
  function tellNews(): void {
    news ??= setTimeout(() => {
      news = undefined;
      options.onNews();
    }, NEWS_MS).unref();
  }

  async function followFound(): Promise<void> {
    try {
      const found = await of.find();
      if (typeof found === 'object') return await follow(found.pod);
      over = found;
    } catch (error) {
      options.onTrouble(error);
      await pause(closed.signal);
      following = undefined; // the next reading asks again
    }
  }

  /**
   * Ends when the container's log has ended; after a reset it goes on where it was. An answer that ends well is no end
   * of the log: so end those that a rotation, a kubelet's or an apiserver's own end cuts short. It has ended when one
   * that was asked for after the container's end brought nothing more.
   */
  async function follow(pod: string): Promise<void> {
    let wasWell = false;
    let rest: Buffer = Buffer.alloc(0);
    for (let troubled = false; !closed.signal.aborted; ) {
      try {
        const hasEnded = told.signal.aborted || of.ended();
        const got = await followOnce(pod);
        if (got.isNoLog) return end('gone');
        if (hasEnded && got.lines === 0 && got.rest.equals(rest)) {
          // Half a line that comes again and again is the last one.
          if (rest.length > 0) await deliver(rest);
          return end('end');
        }
        ({ rest } = got);
        wasWell = true;
        await pause(AbortSignal.any([closed.signal, told.signal]));
      } catch (error) {
        if (closed.signal.aborted) return;
        // It was followed to where it ended, and removed before that could be asked for again.
        if (hasStatus(error, 404)) return end(wasWell ? 'end' : 'gone');
        wasWell = false;
        if (!troubled) options.onTrouble(error);
        troubled = true;
        await pause(closed.signal);
      }
    }
  }

  function end(how: LogOver): void {
    over = how;
  }

  type Got = {
    readonly lines: number;
    /** What has no line's end. */
    readonly rest: Buffer;
    /** The kubelet's words, in place of a log that it has no more. */
    readonly isNoLog: boolean;
  };

  async function followOnce(pod: string): Promise<Got> {
    const resumed = { ...place };
    let isFirst = true;
    let same = 0;
    let lines = 0;
    let isNoLog = false;
    const split = splitLines();
    const stream = client.followLog(pod, of.container, sinceTime(resumed), closed.signal);
    for await (const chunk of stream) {
      for (const line of split.add(chunk)) {
        isNoLog ||= !hasStamp(line);
        if (!isNoLog && isNew(line)) await deliver(line);
      }
    }
    const rest = split.rest();
    isNoLog ||= rest.length > 0 && !hasStamp(rest);
    // Half a line of those that were read before is no news.
    return { lines, rest: isNoLog || isOld(rest) ? Buffer.alloc(0) : rest, isNoLog };

    /** What was delivered before the reset is passed over. */
    function isNew(line: Buffer): boolean {
      if (isOld(line)) return false;
      if (isFirst && resumed.stamp !== '' && same === 0) queue.add(Buffer.from(ROTATED), markOf());
      isFirst = false;
      lines += 1;
      return true;
    }

    function isOld(line: Buffer): boolean {
      if (resumed.stamp === '') return false;
      const order = compareStamps(stampOf(line), resumed.stamp);
      return order < 0 || (order === 0 && same++ < resumed.lines);
    }
  }

  /** `<RFC 3339 stamp> <text>`. */
  async function deliver(line: Buffer): Promise<void> {
    const stamp = stampOf(line);
    place = stamp === place.stamp ? { stamp, lines: place.lines + 1 } : { stamp, lines: 1 };
    queue.add(Buffer.from(line.subarray(line.indexOf(32) + 1)), markOf());
    tellNews();
    // Whoever prints faster than is read waits in the connection, where it takes none of our memory.
    await queue.room();
  }

  function markOf(): string {
    return `${place.stamp}#${place.lines}`;
  }
}

function stampOf(line: Buffer): string {
  return line.subarray(0, line.indexOf(32)).toString('latin1');
}

async function pause(signal: AbortSignal): Promise<void> {
  await wait(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
}

/** The apiserver cuts it to whole seconds itself: lines of that second come again, and are passed over. */
function sinceTime({ stamp }: { stamp: string }): string | undefined {
  return stamp === '' ? undefined : stamp;
}
