/** Keeps every answer on the page as new as the server's: one event stream for all views, told when it is cut. */
import type { QueryClient } from '@tanstack/react-query';
import type { Client } from '../../client/client.ts';
import { Refused } from '../../client/http.ts';
import { keepNewest, soon, takeJob } from './job-cache.ts';

/** Whether the stream is open, and if it was cut, since when (milliseconds since 1970). */
export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | { readonly kind: 'lost'; readonly since: number };

/** Until the signal aborts. @param tell the state of the connection, when it changes */
export async function keepLive(of: {
  client: Client;
  cache: QueryClient;
  signal: AbortSignal;
  tell: (connection: Connection) => void;
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
      if (event.kind === 'job') takeJob(cache, event.job);
      if (event.kind === 'maintenance') {
        cache.setQueryData(['maintenance'], event.maintenance);
        void cache.invalidateQueries({ queryKey: ['maintenance', 'history'] });
      }
      // What was asked before the stream was open may have changed between the two. After a cut it misses nothing.
      if (event.kind === 'reset' || (event.kind === 'ready' && isFirst)) soon(cache, []);
      isFirst = false;
    }
  } catch (error) {
    // Refused: whoever looks must sign in first, which the questions of the views say too.
    if (!(error instanceof Refused)) throw error;
    tell({ kind: 'lost', since: Date.now() });
  } finally {
    leave();
  }
}
