/** Relative times that update by themselves: all of them share one clock that ticks once a second. */
import { useSyncExternalStore } from 'react';
import { ago } from '../../client/format.ts';

const SECOND_MS = 1_000;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = Date.now();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === undefined) {
    // The clock stops without subscribers.
    now = Date.now();
    timer = setInterval(() => {
      now = Date.now();
      for (const each of listeners) each();
    }, SECOND_MS);
  }
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** Milliseconds since 1970, updated each second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

/** `3m 20s ago`, with the exact time as its tooltip. */
export function Ago({ time }: { time: string | null }) {
  const at = useNow();
  if (time === null) return <>never</>;
  return (
    <time dateTime={time} title={localTime(time)}>
      {ago(time, Math.max(at, Date.parse(time)))}
    </time>
  );
}

/** Formats a time in the browser's zone or the given one; includes the year unless it is the current one. */
export function localTime(time: string, timeZone?: string): string {
  const date = new Date(time);
  return date.toLocaleString('en-GB', {
    ...(date.getFullYear() === new Date().getFullYear() ? {} : { year: 'numeric' }),
    weekday: 'short',
    day: '2-digit',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
    ...(timeZone === undefined ? {} : { timeZone }),
  });
}
