/** A log as it is read by people: its text in pieces, with words where some of it is missing. */
import { linesEnd, readLines } from '../db/job-log.ts';
import type { JobView } from '../db/job-views.ts';
import { type LogChunk, readLog } from '../db/logs.ts';
import type { Db } from '../db/schema.ts';
import type { StepRef } from '../db/steps.ts';
import { isFinal } from '../domain/status.ts';

/** Where a log's text comes from, and what is known of its end. */
export type LogSource = {
  read(db: Db, ref: StepRef, from: number): Promise<LogChunk[]>;
  /** How many bytes of text there have been. */
  end(db: Db, ref: StepRef): Promise<number>;
  /** What there is to say behind its last byte. @param end how many bytes of text there have been */
  note(ref: StepRef, end: number): string;
};

const END_MISSING =
  '\n[Syncrator: the end of this log is missing: it could not be read any more before its program was removed]\n';
const REMOVED = '[Syncrator: this log is kept no longer (KEEP_LOGS)]\n';

export function logSource(view: JobView): LogSource {
  if (view.runner === 'external')
    return {
      read: (db, { jobId }, from) => readLines(db, jobId, from),
      end: (db, { jobId }) => linesEnd(db, jobId),
      // Its executor's first word is a line of it.
      note: (_, end) => (end === 0 && isFinal(view.status) && view.started_at !== null ? REMOVED : ''),
    };
  const stepOf = ({ step, attempt }: StepRef) =>
    view.steps.find((candidate) => candidate.step === step && candidate.attempt === attempt);
  return {
    read: readLog,
    end: async (_, ref) => stepOf(ref)?.log_bytes ?? 0,
    note(ref) {
      const state = stepOf(ref)?.log_state;
      return state === 'end_missing' && isFinal(view.status)
        ? END_MISSING
        : state === 'removed'
          ? REMOVED
          : '';
    },
  };
}

/** Chunks in their order, with what lies between them told as a chunk of its own. @param from where the first should begin */
export function withGaps(chunks: readonly LogChunk[], from: number): LogChunk[] {
  let at = from;
  return chunks.flatMap((chunk) => {
    const gap = { offset: at, end: chunk.offset, text: gapWords(chunk.offset - at, at === 0) };
    at = chunk.end;
    return chunk.offset > gap.offset ? [gap, chunk] : [chunk];
  });
}

function gapWords(bytes: number, isFirst: boolean): string {
  const words = `[Syncrator: ${bytes.toLocaleString('en')} bytes are left out here: of a long log the beginning and the end are kept (LOG_LIMIT)]\n`;
  return isFirst ? words : `\n${words}\n`;
}

/** All of a log from a byte on, in pieces of a bounded size. */
export async function* textOf(
  db: Db,
  { source, ref, from }: { source: LogSource; ref: StepRef; from: number },
): AsyncGenerator<string> {
  let at = from;
  for (;;) {
    const chunks = await source.read(db, ref, at);
    const last = chunks.at(-1);
    if (!last) break;
    for (const { text } of withGaps(chunks, at)) yield text;
    at = last.end;
  }
  const note = source.note(ref, await source.end(db, ref));
  if (note !== '') yield note;
}
