/** Keeps every cached response up to date from one event stream that all views share, and reports its state. */
import type { QueryClient } from '@tanstack/react-query';
import type { Client } from '../../client/client.ts';
import { Refused } from '../../client/http.ts';
import { applyJob, dropRefetches, keepNewest, refetchSoon } from './job-cache.ts';

/** State of the event stream; `since` is in milliseconds since 1970. */
export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'lost'; readonly since: number };

/** Runs until the signal aborts. @param tell called whenever the state of the connection changes */
export async function keepLive(of: {
  client: Client;
  cache: QueryClient;
  signal: AbortSignal;
  tell: (connection: Connection) => void;
  /** Called when the server rejects the token (401). */
  refused?: () => void;
}): Promise<void> {
  const { client, cache, signal, tell } = of;
  let state: Connection = { kind: 'connecting' };
  const onState = ({ connected }: { connected: boolean }) => {
    if (state.kind === (connected ? 'live' : 'lost')) return;
    if (connected) state = { kind: 'live' };
    else state = { kind: 'lost', since: Date.now() };
    tell(state);
  };
  tell(state);
  const leave = keepNewest(cache);
  let isFirst = true;
  try {
    for await (const event of client.live({ signal, onState })) {
      if (event.kind === 'job') applyJob(cache, event.job);
      if (event.kind === 'maintenance') {
        cache.setQueryData(['maintenance'], event.maintenance);
        void cache.invalidateQueries({ queryKey: ['maintenance', 'history'] });
      }
      // Responses from before the stream opened may be stale. A reconnected stream resumes without a gap.
      if (event.kind === 'reset' || (event.kind === 'ready' && isFirst)) refetchSoon(cache, []);
      isFirst = false;
    }
  } catch (error) {
    // Denied: the user must sign in first; the queries of the views report that too.
    if (!(error instanceof Refused)) throw error;
    if (error.status === 401) of.refused?.();
    tell({ kind: 'lost', since: Date.now() });
  } finally {
    leave();
    dropRefetches();
  }
}
