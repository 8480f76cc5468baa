/** Follows an event stream without end: reopens a cut one after the last event received. */
import { type Http, type OpenStream, Refused, type ServerEvent } from './http.ts';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

export type FollowOptions = {
  readonly signal: AbortSignal;
  /** Called when the stream opens, and when it is cut, with the reason. */
  readonly onState?: (state: { readonly connected: boolean; readonly why?: unknown }) => void;
};

/**
 * Yields events without a gap. Some come twice: keep the highest `version` of each job.
 * Ends when the server sends `end`, or when the signal aborts.
 * @throws Refused for a 4xx answer, which would not change
 */
export async function* followEvents(
  http: Http,
  open: OpenStream,
  { signal, onState }: FollowOptions,
): AsyncGenerator<ServerEvent> {
  let lastEventId: string | undefined;
  for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    let why: unknown;
    try {
      // Connected once it opens, not at its first event: a healthy stream may be silent for long.
      const onOpen = () => onState?.({ connected: true });
      for await (const event of http.events(open, { signal, lastEventId, onOpen })) {
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
    // A stream that the server ends regularly, because of its age, is reopened without a message.
    if (why !== undefined) onState?.({ connected: false, why });
    await wait(pauseMs, signal);
  }
}

/** Resolves early, without an error, when the signal aborts. */
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
