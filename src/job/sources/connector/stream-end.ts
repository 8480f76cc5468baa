/** Follows what an Airbyte connector says about a stream, and judges whether all of it came. Pure. */
import type { Fields } from '../json-object.ts';
import { isAbout, type Stream } from './dialect.ts';
import { numberIn, textIn, within } from './message.ts';

export type StreamEnd = {
  readonly record: () => void;
  /** A line that may have been a record of this stream. */
  readonly unreadable: () => void;
  /** A record of another stream. */
  readonly foreign: () => void;
  readonly status: (message: Fields) => void;
  readonly state: (message: Fields) => void;
  /** An error that the connector reports in a message of its own. */
  readonly error: (descriptor: Fields) => void;
  /** Why the stream is incomplete; null: it is complete. */
  readonly doubt: (exitCode: number) => string | null;
};

/** 128 + SIGKILL, by which the kernel ends a program that takes too much memory. */
const KILLED = 137;

export function createStreamEnd(stream: Stream): StreamEnd {
  let last: string | null = null;
  let isIncomplete = false;
  let isLate = false;
  let hasFailed = false;
  let [records, foreign, sinceState, unreadable] = [0, 0, 0, 0];
  let lost: string | null = null;
  const isOurs = (descriptor: Fields): boolean =>
    isAbout(stream, descriptor['name'], descriptor['namespace']);

  return {
    record() {
      records += 1;
      sinceState += 1;
      isLate ||= last === 'COMPLETE';
    },
    unreadable() {
      unreadable += 1;
      isLate ||= last === 'COMPLETE';
    },
    foreign: () => void (foreign += 1),
    status(message) {
      if (!isOurs(within(message, 'stream_descriptor'))) return;
      last = textIn(message, 'status');
      isIncomplete ||= last === 'INCOMPLETE';
    },
    state(message) {
      if (!isOurs(within(within(message, 'stream'), 'stream_descriptor'))) return;
      const sent = numberIn(within(message, 'sourceStats'), 'recordCount');
      if (sent !== null && (sent < sinceState || sent > sinceState + unreadable))
        lost ??= `it says that it sent ${sent} records before a STATE, but ${sinceState} came`;
      sinceState = unreadable = 0;
    },
    error(descriptor) {
      hasFailed ||= descriptor['name'] === undefined || isOurs(descriptor);
    },
    doubt(exitCode) {
      if (isIncomplete) return 'the connector says that the stream is incomplete (STREAM_STATUS INCOMPLETE)';
      if (exitCode !== 0)
        return `the connector ended with exit code ${exitCode}${exitCode === KILLED ? ' (killed, often for lack of memory)' : ''}`;
      if (hasFailed) return 'the connector reports an error (TRACE ERROR), although it ends with exit code 0';
      if (records === 0 && foreign > 0) return `all ${foreign} records that came are of other streams`;
      if (last !== 'COMPLETE')
        return 'the connector does not say that the stream is complete (no STREAM_STATUS COMPLETE); use a newer version of it';
      return isLate ? 'records came after STREAM_STATUS COMPLETE' : lost;
    },
  };
}
