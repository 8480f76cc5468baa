/** A step's log as it grows, for as long as one looks. */
import { useEffect, useState } from 'react';
import { client } from '../app/session.ts';
import { LogLines } from './log-lines.ts';

export type Log = {
  readonly lines: LogLines;
  readonly count: number;
  readonly state: 'following' | 'ended' | 'lost';
  readonly error: Error | undefined;
};

export function useLog(jobId: number, at: { step: number; attempt: number }): Log {
  const { step, attempt } = at;
  const [log, setLog] = useState<Log>(nothing);
  useEffect(() => {
    const leaving = new AbortController();
    const lines = new LogLines();
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
      for await (const { offset, text } of client.liveLog(
        jobId,
        { step, attempt },
        { signal: leaving.signal, onState },
      )) {
        lines.add(offset, text);
        show();
      }
      state = 'ended';
      show();
    };
    setLog({ ...nothing(), lines });
    read().catch((error: unknown) => show(error instanceof Error ? error : new Error(String(error))));
    return () => {
      leaving.abort();
      if (frame !== undefined) cancelAnimationFrame(frame);
    };
  }, [jobId, step, attempt]);
  return log;
}

function nothing(): Log {
  return { lines: new LogLines(), count: 0, state: 'following', error: undefined };
}
