/** Opens the page's event stream, and shows whether its data is live. */
import { Badge } from '@mantine/core';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { localTime } from '../parts/clock.tsx';
import { refetch } from './refetch.ts';
import { type Connection, keepLive } from './live.ts';
import { useIsVisible } from '../parts/visibility.ts';
import { queryClient } from './queries.ts';
import { isReadPublic } from './page-config.ts';
import { client, recheckSession, onSessionChange, signedInAs } from './session.ts';

/** Polling interval while the event stream is down. */
const POLL_MS = 5_000;

/** Name of the signed-in user; undefined without one. */
export function useUser(): string | undefined {
  return useSyncExternalStore(onSessionChange, signedInAs);
}

/** Whether the views may query the server: reads are public, or a user is signed in and holds no other user's data. */
export function useMayRead(): boolean {
  const user = useUser();
  const [heldBy, setHeldBy] = useState(user);
  useEffect(() => {
    if (heldBy === user) return;
    // The cache holds the previous user's data: clear it before the next user sees it.
    void queryClient.resetQueries();
    setHeldBy(user);
  }, [heldBy, user]);
  // A view that opened before the reset would send each request twice, and the audit would record each denial twice.
  return isReadPublic || (user !== undefined && user === heldBy);
}

/** Opens the page's one event stream while the tab is visible; reopens it for each user. */
export function useLive(mayRead: boolean): Connection {
  const user = useUser();
  const isVisible = useIsVisible();
  const [connection, setConnection] = useState<Connection>({ kind: 'connecting' });
  useEffect(() => {
    if (!mayRead || !isVisible) return undefined;
    const leaving = new AbortController();
    void keepLive({
      client,
      cache: queryClient,
      signal: leaving.signal,
      tell: setConnection,
      refused: recheckSession,
    });
    return () => leaving.abort();
  }, [user, mayRead, isVisible]);
  const isLost = connection.kind === 'lost';
  useEffect(() => {
    if (!isLost || !isVisible) return undefined;
    const asking = setInterval(
      // Let requests in flight and pending retries finish: cancelling them every few seconds would starve slow ones.
      () => refetch(queryClient, { cancelRefetch: false }),
      POLL_MS,
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
      ? `Disconnected since ${localTime(new Date(connection.since).toISOString())}; reconnecting`
      : undefined;
  return (
    <Badge role="status" color={look.color} variant="status" tt="none" radius="sm" title={why}>
      <span aria-hidden="true">● </span>
      <span>{look.text}</span>
    </Badge>
  );
}
