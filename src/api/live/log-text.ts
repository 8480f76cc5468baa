/** The text of a log for people, in pieces, with notes where some of it is missing. */
import { linesEnd, readLines } from '../../db/jobs/job-log.ts';
import type { JobView } from '../../db/views/job-views.ts';
import { type LogChunk, readLog } from '../../db/jobs/logs.ts';
import type { Db } from '../../db/schema.ts';
import type { StepRef } from '../../db/jobs/steps.ts';
import { isFinal } from '../../domain/status.ts';

/** Reads the text of a log and its end. */
export type LogSource = {
  read(db: Db, ref: StepRef, from: number): Promise<LogChunk[]>;
  /** Bytes of text so far. */
  end(db: Db, ref: StepRef): Promise<number>;
  /** The note behind the last byte; empty if there is none. @param end bytes of text so far */
  note(ref: StepRef, end: number): string;
};

const END_MISSING =
  '\n[Syncrator: the end of this log is missing: its program was removed before it could be read]\n';
const REMOVED = '[Syncrator: this log was deleted (KEEP_LOGS)]\n';

export function logSource(view: JobView): LogSource {
  if (view.runner === 'external')
    return {
      read: (db, { jobId }, from) => readLines(db, jobId, from),
      end: (db, { jobId }) => linesEnd(db, jobId),
      // The first update of the executor writes a line, so an empty log was removed.
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

/** Inserts a note for each gap between chunks. @param from offset at which the first chunk should begin */
export function withGaps(chunks: readonly LogChunk[], from: number): LogChunk[] {
  let at = from;
  return chunks.flatMap((chunk) => {
    const gap = { offset: at, end: chunk.offset, text: gapWords(chunk.offset - at, at === 0) };
    at = chunk.end;
    return chunk.offset > gap.offset ? [gap, chunk] : [chunk];
  });
}

function gapWords(bytes: number, isFirst: boolean): string {
  const words = `[Syncrator: ${bytes.toLocaleString('en')} bytes are omitted here: a long log keeps only its beginning and its end (LOG_LIMIT)]\n`;
  return isFirst ? words : `\n${words}\n`;
}

/** Yields a log from a byte on, in pieces of bounded size. */
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
