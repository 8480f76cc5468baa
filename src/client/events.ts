/** Follows an event stream for as long as one wants: a cut one is opened again from the last event heard. */
import { type Http, Refused, type ServerEvent } from './http.ts';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

export type FollowOptions = {
  readonly signal: AbortSignal;
  /** Told when the stream is open, and when it is not, with why. */
  readonly onState?: (state: { readonly connected: boolean; readonly why?: unknown }) => void;
};

/**
 * Events without a gap; some may come twice, so whoever hears them keeps the highest `version` of each job.
 * Ends when the server says that there is no more (`end`), or when the signal aborts.
 * @throws Refused when the server will not have it (4xx): asking again would not help
 */
export async function* followEvents(
  http: Http,
  route: string,
  { signal, onState }: FollowOptions,
): AsyncGenerator<ServerEvent> {
  let lastEventId: string | undefined;
  for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    let why: unknown;
    try {
      // Told when it opens, not at its first event: a stream may be silent for long, and is well.
      const onOpen = () => onState?.({ connected: true });
      for await (const event of http.events(route, { signal, lastEventId, onOpen })) {
        pauseMs = FIRST_PAUSE_MS;
        lastEventId = event.id ?? lastEventId;
        if (event.event === 'end') {
          yield event;
          return;
        }
        if (event.event !== 'error') yield event;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refused && error.status < 500 && error.status !== 429) throw error;
      why = error;
    }
    // A stream that the server ends in order, for its age, is opened again before anybody need hear of it.
    if (why !== undefined) onState?.({ connected: false, why });
    await wait(pauseMs, signal);
  }
}

/** Ends early, without an error, when the signal aborts. */
function wait(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
