/** Follows a step's log while the tab is visible. Callers must remount (by `key`) for another step. */
import { useEffect, useState } from 'react';
import { client } from '../app/session.ts';
import { useIsVisible } from '../parts/visibility.ts';
import { LogLines } from './log-lines.ts';

export type Log = {
  readonly lines: LogLines;
  readonly count: number;
  /** Size in bytes; changes even if only the last line does. */
  readonly end: number;
  readonly state: 'following' | 'ended' | 'lost';
  readonly error: Error | undefined;
};

export function useLog(jobId: number, at: { step: number; attempt: number }): Log {
  const { step, attempt } = at;
  const isVisible = useIsVisible();
  // Kept while the tab is hidden, so that reading continues at the same offset.
  const [lines] = useState(() => new LogLines());
  const [log, setLog] = useState<Log>({ lines, count: 0, end: 0, state: 'following', error: undefined });
  useEffect(() => {
    if (!isVisible) return undefined;
    const leaving = new AbortController();
    let frame: number | undefined;
    let state: Log['state'] = 'following';
    // Chunks arrive faster than the screen redraws.
    const show = (error?: Error) => {
      frame ??= requestAnimationFrame(() => {
        frame = undefined;
        setLog({ lines, count: lines.count, end: lines.end, state, error });
      });
    };
    const onState = ({ connected }: { connected: boolean }) => {
      state = connected ? 'following' : 'lost';
      show();
    };
    const read = async () => {
      const at = { step, attempt, offset: lines.end };
      for await (const part of client.liveLog(jobId, at, { signal: leaving.signal, onState })) {
        lines.add(part);
        show();
      }
      state = 'ended';
      show();
    };
    read().catch((error: unknown) => show(error instanceof Error ? error : new Error(String(error))));
    return () => {
      leaving.abort();
      if (frame !== undefined) cancelAnimationFrame(frame);
    };
  }, [jobId, step, attempt, lines, isVisible]);
  return log;
}
