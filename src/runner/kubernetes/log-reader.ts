/**
 * The log of one pod, followed as it grows. Its place is the last line's time stamp and how many lines had that very
 * stamp, since the apiserver takes a time (in whole seconds) to go on from, not an offset.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { LogPart, LogPlace, LogReader } from '../runner.ts';
import type { KubernetesClient } from './client.ts';
import { hasStatus } from './errors.ts';

export type LogOf = {
  /** The pod's name once its container has started; until then there is nothing to follow. */
  readonly pod: () => string | undefined;
  /** Nothing more will come: its container has ended, as far as is known. */
  readonly ended: () => boolean;
  readonly container: string;
};

type Place = { stamp: string; lines: number };

const PART_BYTES = 64 * 1024;
/** Kept unread at most; older output goes first. */
const BUFFER_BYTES = 512 * 1024;
/** What an ended program's log is waited for. */
const TO_END_MS = 5_000;
const RETRY_MS = 1_000;
const NEWS_MS = 500;

/**
 * @param onNews called when there is something to read
 * @param onTrouble called with the first error of each stretch of trouble; reading goes on, nothing depends on a log
 */
export function openPodLog(
  client: KubernetesClient,
  of: LogOf,
  options: {
    from: LogPlace;
    behind: number;
    onNews: () => void;
    onTrouble: (error: unknown) => void;
  },
): LogReader {
  const closed = new AbortController();
  const told = new AbortController();
  const limit = Math.min(options.behind, BUFFER_BYTES);
  let place = parseMark(options.from.mark);
  let { offset } = options.from;
  let waiting: { bytes: Buffer; mark: string }[] = [];
  let size = 0;
  let following: Promise<void> | undefined;
  let news: NodeJS.Timeout | undefined;

  return {
    async read({ toEnd }) {
      following ??= startFollowing();
      if (toEnd) told.abort();
      if (toEnd && following) await Promise.race([following, wait(TO_END_MS, undefined, { ref: false })]);
      return take();
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

  function startFollowing(): Promise<void> | undefined {
    const pod = of.pod();
    return pod === undefined ? undefined : follow(pod);
  }

  /**
   * Ends when the container's log has ended; after a reset it goes on where it was. An answer that ends well is no end
   * of the log while the container runs: so end those that a rotation or an apiserver's own end cuts short.
   */
  async function follow(pod: string): Promise<void> {
    for (let troubled = false; !closed.signal.aborted; ) {
      try {
        if (await followOnce(pod)) return;
        await pause(AbortSignal.any([closed.signal, told.signal]));
      } catch (error) {
        if (closed.signal.aborted || hasStatus(error, 404)) return;
        if (!troubled) options.onTrouble(error);
        troubled = true;
        await pause(closed.signal);
      }
    }
  }

  /** @returns whether that was the end of it */
  async function followOnce(pod: string): Promise<boolean> {
    const resumed = { ...place };
    let same = 0;
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of client.followLog(pod, of.container, sinceTime(resumed), closed.signal)) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let from = 0;
      for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, from)) {
        line(bytes.subarray(from, at + 1));
        from = at + 1;
      }
      rest = bytes.subarray(from);
      if (size > 0) tellNews();
    }
    const over = told.signal.aborted || of.ended();
    // Half a line comes again, whole.
    if (rest.length > 0 && over) line(rest);
    return over;

    /** `<RFC 3339 stamp> <text>`; what was delivered before the reset is passed over. */
    function line(whole: Buffer): void {
      const space = whole.indexOf(32);
      const stamp = whole.subarray(0, space).toString('latin1');
      if (resumed.stamp !== '') {
        const order = compare(stamp, resumed.stamp);
        if (order < 0 || (order === 0 && same++ < resumed.lines)) return;
      }
      place = stamp === place.stamp ? { stamp, lines: place.lines + 1 } : { stamp, lines: 1 };
      const bytes = Buffer.from(whole.subarray(space + 1));
      waiting.push({ bytes, mark: `${place.stamp}#${place.lines}` });
      size += bytes.length;
      while (size > limit && waiting.length > 1) drop();
    }
  }

  function drop(): void {
    const length = waiting.shift()?.bytes.length ?? 0;
    size -= length;
    offset += length;
  }

  function take(): LogPart | undefined {
    let length = 0;
    let count = 0;
    for (const { bytes } of waiting) {
      if (count > 0 && length + bytes.length > PART_BYTES) break;
      length += bytes.length;
      count += 1;
    }
    const last = waiting[count - 1];
    if (!last) return undefined;
    const part = {
      offset,
      bytes: Buffer.concat(waiting.slice(0, count).map(({ bytes }) => bytes)),
      next: { offset: offset + length, mark: last.mark },
    };
    waiting = waiting.slice(count);
    size -= length;
    offset += length;
    return part;
  }
}

async function pause(signal: AbortSignal): Promise<void> {
  await wait(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
}

function parseMark(mark: string | null): Place {
  const [stamp = '', lines = '0'] = mark?.split('#') ?? [];
  return { stamp, lines: Number(lines) };
}

/** The apiserver cuts it to whole seconds itself: lines of that second come again, and are passed over. */
function sinceTime({ stamp }: Place): string | undefined {
  return stamp === '' ? undefined : stamp;
}

/** RFC 3339 with up to nine decimals, which the container runtime cuts at trailing zeros. */
function compare(a: string, b: string): number {
  const seconds = Date.parse(cutDecimals(a)) - Date.parse(cutDecimals(b));
  return seconds !== 0 ? seconds : decimals(a) - decimals(b);
}

function cutDecimals(stamp: string): string {
  return stamp.replace(/\.\d+/, '');
}

function decimals(stamp: string): number {
  return Number((/\.(\d+)/.exec(stamp)?.[1] ?? '').padEnd(9, '0'));
}
