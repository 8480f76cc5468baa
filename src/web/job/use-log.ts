/** A step's log as it grows, for as long as one looks. Whoever uses it is made anew for another step. */
import { useEffect, useState } from 'react';
import { client } from '../app/session.ts';
import { useIsVisible } from '../parts/visibility.ts';
import { LogLines } from './log-lines.ts';

export type Log = {
  readonly lines: LogLines;
  readonly count: number;
  readonly state: 'following' | 'ended' | 'lost';
  readonly error: Error | undefined;
};

export function useLog(jobId: number, at: { step: number; attempt: number }): Log {
  const { step, attempt } = at;
  const isVisible = useIsVisible();
  // Kept while nobody looks: it goes on where it was left.
  const [lines] = useState(() => new LogLines());
  const [log, setLog] = useState<Log>({ lines, count: 0, state: 'following', error: undefined });
  useEffect(() => {
    if (!isVisible) return undefined;
    const leaving = new AbortController();
    let frame: number | undefined;
    let state: Log['state'] = 'following';
    // Chunks come faster than a screen is drawn.
    const show = (error?: Error) => {
      frame ??= requestAnimationFrame(() => {
        frame = undefined;
        setLog({ lines, count: lines.count, state, error });
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
