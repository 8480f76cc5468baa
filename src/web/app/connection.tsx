/** Says honestly whether what is shown is what is. */
import { Badge } from '@mantine/core';
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { localTime } from '../parts/clock.tsx';
import { type Connection, keepLive } from './live.ts';
import { useIsVisible } from '../parts/visibility.ts';
import { queryClient } from './queries.ts';
import { isReadPublic } from './served.ts';
import { client, onSessionChange, signedInAs } from './session.ts';

/** Without events everything seen is asked for this often. */
const ASK_MS = 5_000;

/** Who is signed in; undefined for nobody. */
export function useUser(): string | undefined {
  return useSyncExternalStore(onSessionChange, signedInAs);
}

/** Whether there is anything to see. */
export function useMayRead(): boolean {
  return useUser() !== undefined || isReadPublic;
}

/** Opens the page's one event stream, anew for each user, while somebody can see it. */
export function useLive(): Connection {
  const user = useUser();
  const mayRead = useMayRead();
  const isVisible = useIsVisible();
  const before = useRef(user);
  const [connection, setConnection] = useState<Connection>({ kind: 'connecting' });
  useEffect(() => {
    // What one has seen is not for the next.
    if (before.current !== user) void queryClient.resetQueries();
    before.current = user;
    if (!mayRead || !isVisible) return undefined;
    const leaving = new AbortController();
    void keepLive({ client, cache: queryClient, signal: leaving.signal, tell: setConnection });
    return () => leaving.abort();
  }, [user, mayRead, isVisible]);
  const isLost = connection.kind === 'lost';
  useEffect(() => {
    if (!isLost || !isVisible) return undefined;
    const asking = setInterval(
      // A question under way, or about to be asked once more, is left alone: it shall come to its end.
      () => void queryClient.invalidateQueries({}, { cancelRefetch: false }),
      ASK_MS,
    );
    return () => clearInterval(asking);
  }, [isLost, isVisible]);
  return connection;
}

export function ConnectionBadge({ connection }: { connection: Connection }) {
  const look = {
    live: { color: 'green', text: 'Live' },
    connecting: { color: 'gray', text: 'Connecting…' },
    lost: { color: 'red', text: 'Not live' },
  }[connection.kind];
  const why =
    connection.kind === 'lost'
      ? `Nothing is heard since ${localTime(new Date(connection.since).toISOString())}; trying again`
      : undefined;
  return (
    <Badge role="status" color={look.color} variant="status" tt="none" radius="sm" title={why}>
      <span aria-hidden="true">● </span>
      <span>{look.text}</span>
    </Badge>
  );
}
