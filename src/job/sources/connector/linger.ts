/**
 * Waits for the output of processes that outlive a connector, such as the end of its pipeline. Ends them when they write
 * nothing, and fails if one still holds the output then.
 */
import { JobError } from '../../job-error.ts';

export type Linger = {
  /** The connector has ended. */
  readonly begin: () => void;
  /** Call after each group of lines: work on them is no silence. */
  readonly refresh: () => void;
  /** All that was written to its standard output has been read. */
  readonly outputEnded: () => void;
  /** Whether a process was ended that still held the standard output. */
  readonly isCut: () => boolean;
  readonly end: () => void;
};

/** How long they may write nothing. */
const LINGER_MS = 3_000;

/** @param kill ends them */
export function createLinger(kill: () => void, fail: (error: Error) => void): Linger {
  let timer: NodeJS.Timeout | null = null;
  let [hasEnded, isCut, isOver] = [false, false, false];
  const onSilence = (): void => {
    isCut = !hasEnded;
    kill();
    timer = setTimeout(() => fail(heldOpen()), LINGER_MS);
  };
  return {
    begin: () => {
      if (!isOver) timer = setTimeout(onSilence, LINGER_MS);
    },
    refresh: () => void timer?.refresh(),
    outputEnded: () => void (hasEnded = true),
    isCut: () => isCut,
    end: () => {
      isOver = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}

function heldOpen(): JobError {
  return new JobError(
    'failed',
    'the connector has ended, and a process that it left behind holds its output open and cannot be ended; end it, and let the connector wait for what it starts',
  );
}
