/**
 * Follows the log of one pod as it grows. The position is the time stamp of the last line and the number of lines with
 * that stamp, because the apiserver resumes a log from a time (in whole seconds), not from an offset.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { cut } from '../../../domain/outcome.ts';
import type { LogOver, LogPart, LogPosition, LogReader } from '../../runner.ts';
import type { KubernetesClient } from '../apiserver/client.ts';
import { hasStatus } from '../apiserver/errors.ts';
import { createLineQueue, type LineQueue } from './line-queue.ts';
import { compareStamps, hasStamp, type LogMark, parseMark, splitLines } from './log-lines.ts';

export type LogSource = {
  /** Name of the pod once its container has started; until then there is no log to follow. */
  readonly pod: () => string | undefined;
  /** True when, as far as the caller knows, the container has ended. */
  readonly ended: () => boolean;
  /** Looks the pod up anew. `end`: it exists and never started; `gone`: it does not exist. */
  readonly find: () => Promise<{ readonly pod: string } | LogOver>;
  readonly container: string;
};

type Options = {
  readonly from: LogPosition;
  /** Called when there is something to read, at most every 500 ms. */
  readonly onNews: () => void;
  /** Called with the first error of each series of errors; reading is retried. */
  readonly onTrouble: (error: unknown) => void;
};

/** Longest wait for output of a program that has ended. */
const TO_END_MS = 1_000;
const RETRY_MS = 1_000;
const NEWS_MS = 500;
/** A node that cannot follow a log still returns its lines so far: for this long, ask only for those. */
const UNFOLLOWED_MS = 30_000;
/** Messages of the kubelet in a row, in place of an ended program's log, after which the log counts as gone. */
const LAST_MESSAGES = 4;
/** The node keeps few and small files of a log, and deletes the oldest. */
const ROTATED = '[Syncrator: lines are missing here: the node had removed them before they could be read]\n';

export function openPodLog(client: KubernetesClient, source: LogSource, options: Options): LogReader {
  return new PodLogReader(client, source, options);
}

class PodLogReader implements LogReader {
  readonly #client: KubernetesClient;
  readonly #source: LogSource;
  readonly #options: Options;
  readonly #queue: LineQueue;
  readonly #closed = new AbortController();
  /** Aborted when the caller reads to the end: the program has ended. */
  readonly #toEnd = new AbortController();
  #mark: LogMark;
  #following: Promise<void> | undefined;
  #over: LogOver | undefined;
  #news: NodeJS.Timeout | undefined;

  constructor(client: KubernetesClient, source: LogSource, options: Options) {
    this.#client = client;
    this.#source = source;
    this.#options = options;
    this.#queue = createLineQueue(options.from.offset, this.#closed.signal);
    this.#mark = parseMark(options.from.mark);
  }

  async read({ toEnd }: { toEnd: boolean }): Promise<LogPart | LogOver | undefined> {
    const pod = this.#source.pod();
    if (pod !== undefined) this.#following ??= this.#follow(pod);
    if (!toEnd) return this.#queue.take();
    this.#toEnd.abort();
    this.#following ??= this.#findAndFollow();
    const part = this.#queue.take();
    if (part) return part;
    await Promise.race([this.#following, this.#queue.filled(), wait(TO_END_MS, undefined, { ref: false })]);
    return this.#queue.take() ?? this.#over;
  }

  close(): void {
    this.#closed.abort();
    clearTimeout(this.#news);
  }

  async #findAndFollow(): Promise<void> {
    try {
      const found = await this.#source.find();
      if (typeof found === 'object') return await this.#follow(found.pod);
      this.#over = found;
    } catch (error) {
      this.#options.onTrouble(error);
      await pause(this.#closed.signal);
      this.#following = undefined; // the next read looks the pod up again
    }
  }

  /**
   * Returns when the container's log has ended; resumes after a reset. An answer that ends without an error does not
   * prove the end of the log, since a log rotation or a restart of kubelet or apiserver also ends it. The log has ended
   * when an answer requested after the container's end contains nothing new. A message of the kubelet at the end of an
   * answer is an error: the log is requested again, at first without following it.
   */
  async #follow(pod: string): Promise<void> {
    const { signal } = this.#closed;
    let wasWell = false;
    let rest: Buffer = Buffer.alloc(0);
    let messages = 0;
    let followFrom = 0;
    for (let troubled = false; !signal.aborted; ) {
      try {
        const hasEnded = this.#toEnd.signal.aborted || this.#source.ended();
        const answer = await this.#readAnswer(pod, Date.now() >= followFrom);
        if (answer.message !== '') {
          messages = answer.lines > 0 ? 1 : messages + 1;
          if (hasEnded && messages >= LAST_MESSAGES) return this.#end('gone');
          followFrom = Date.now() + UNFOLLOWED_MS;
          throw new Error(`the node says: ${answer.message}`);
        }
        messages = 0;
        troubled = false;
        if (hasEnded && answer.lines === 0 && answer.rest.equals(rest)) {
          // An unfinished line that two answers end with is the last line.
          if (rest.length > 0) await this.#deliver(rest);
          return this.#end('end');
        }
        ({ rest } = answer);
        wasWell = true;
        await pause(AbortSignal.any([signal, this.#toEnd.signal]));
      } catch (error) {
        if (signal.aborted) return;
        // Followed to its end; the pod was removed before the log could be requested once more.
        if (hasStatus(error, 404)) return this.#end(wasWell ? 'end' : 'gone');
        wasWell = false;
        if (!troubled) this.#options.onTrouble(error);
        troubled = true;
        await pause(signal);
      }
    }
  }

  /** Reads one answer and queues its new lines. */
  async #readAnswer(pod: string, isFollowing: boolean): Promise<Answer> {
    const resume = new ResumeFilter({ ...this.#mark });
    let lines = 0;
    let unstamped: Buffer[] = [];
    const split = splitLines();
    const since = resume.sinceTime;
    const { signal } = this.#closed;
    const stream = this.#client.streamLog(pod, this.#source.container, since, signal, isFollowing);
    for await (const chunk of stream) {
      for (const line of split.add(chunk)) {
        if (!hasStamp(line)) {
          unstamped = [...unstamped, line].slice(-LAST_MESSAGES);
          continue;
        }
        if (!resume.isOld(line)) {
          if (resume.hasGap()) this.#queue.add(Buffer.from(ROTATED), this.#markText());
          lines += 1;
          // Stamped lines follow, so these are no message of the kubelet: a rotation cut a line in two.
          for (const piece of unstamped) this.#queue.add(piece, this.#markText());
          await this.#deliver(line);
        }
        unstamped = [];
      }
    }
    const rest = split.rest();
    const isMessage = rest.length > 0 && !hasStamp(rest);
    const message = Buffer.concat(isMessage ? [...unstamped, rest] : unstamped).toString();
    // The unfinished part of a line that was read before is not new.
    const isKnown = isMessage || resume.isOld(rest);
    return { lines, rest: isKnown ? Buffer.alloc(0) : rest, message: cut(message.trim()) };
  }

  /** @param line `<RFC 3339 stamp> <text>` */
  async #deliver(line: Buffer): Promise<void> {
    const stamp = stampOf(line);
    const lines = stamp === this.#mark.stamp ? this.#mark.lines + 1 : 1;
    this.#mark = { stamp, lines };
    this.#queue.add(Buffer.from(line.subarray(line.indexOf(32) + 1)), this.#markText());
    this.#announce();
    // Output that arrives faster than it is taken waits in the connection, not in our memory.
    await this.#queue.room();
  }

  /** Wakes the watcher of a chatty program at intervals, not with every line. */
  #announce(): void {
    this.#news ??= setTimeout(() => {
      this.#news = undefined;
      this.#options.onNews();
    }, NEWS_MS).unref();
  }

  #end(how: LogOver): void {
    this.#over = how;
  }

  #markText(): string {
    return `${this.#mark.stamp}#${this.#mark.lines}`;
  }
}

/** One answer of the apiserver to a request for a log. */
type Answer = {
  /** Number of new lines. */
  readonly lines: number;
  /** Text after the last end of a line. */
  readonly rest: Buffer;
  /** The kubelet's message in place of lines that it cannot return; empty when it returned all of them. */
  readonly message: string;
};

/** Recognises the lines of a resumed log that were delivered before. */
class ResumeFilter {
  readonly #from: LogMark;
  #same = 0;
  #isFirst = true;

  constructor(from: LogMark) {
    this.#from = from;
  }

  /** The apiserver truncates it to whole seconds: lines of that second come again and are skipped. */
  get sinceTime(): string | undefined {
    return this.#from.stamp === '' ? undefined : this.#from.stamp;
  }

  isOld(line: Buffer): boolean {
    if (this.#from.stamp === '') return false;
    const order = compareStamps(stampOf(line), this.#from.stamp);
    return order < 0 || (order === 0 && this.#same++ < this.#from.lines);
  }

  /** True before the first new line if no line with the last known stamp came again. */
  hasGap(): boolean {
    const gap = this.#isFirst && this.#from.stamp !== '' && this.#same === 0;
    this.#isFirst = false;
    return gap;
  }
}

function stampOf(line: Buffer): string {
  return line.subarray(0, line.indexOf(32)).toString('latin1');
}

async function pause(signal: AbortSignal): Promise<void> {
  await wait(RETRY_MS, undefined, { signal, ref: false }).catch(() => undefined);
}
