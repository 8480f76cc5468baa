/** Times that go on by themselves: every part of the page that shows one looks at one clock, once a second. */
import { useSyncExternalStore } from 'react';
import { ago } from '../../client/words.ts';

const SECOND_MS = 1_000;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = Date.now();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (timer === undefined) {
    // It stood while nobody looked.
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

/** Milliseconds since 1970, renewed each second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

/** `3m 20s ago`, the exact time in its tooltip. */
export function Ago({ time }: { time: string | null }) {
  const at = useNow();
  if (time === null) return <>never</>;
  return (
    <time dateTime={time} title={localTime(time)}>
      {ago(time, Math.max(at, Date.parse(time)))}
    </time>
  );
}

/** In the zone of whoever looks, or in the one asked for. */
export function localTime(time: string, timeZone?: string): string {
  return new Date(time).toLocaleString('en-GB', {
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
