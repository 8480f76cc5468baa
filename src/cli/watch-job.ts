/** Watches one job by the server's events, or by a request each second while all event streams are taken. */
import { setTimeout as wait } from 'node:timers/promises';
import type { JobJson } from '../client/client.ts';
import { Refused } from '../client/http.ts';
import { isFinal } from '../domain/status.ts';
import { CliFailure, EXIT } from '../terminal/failure.ts';
import { PATIENCE_MS, type Server } from './remote.ts';

const ASK_MS = 1_000;

/**
 * Ends once the job is final, or the signal aborts.
 * @throws CliFailure for an unknown job, and when the server stays unreachable
 */
export async function* watchJob(server: Server, id: number, signal: AbortSignal): AsyncGenerator<JobJson> {
  const crowded = new AbortController();
  const listening = AbortSignal.any([signal, crowded.signal]);
  yield* server.live(listening, (api, follow) =>
    api.liveJob(id, {
      ...follow,
      onState: (state) => {
        if (state.why instanceof Refused && state.why.code === 'too_many_streams') crowded.abort();
        follow.onState?.(state);
      },
    }),
  );
  if (crowded.signal.aborted) yield* askEachSecond(server, id, signal);
}

async function* askEachSecond(server: Server, id: number, signal: AbortSignal): AsyncGenerator<JobJson> {
  let awaySince: number | undefined;
  while (!signal.aborted) {
    try {
      const job = await server.call((api) => api.showJob(id));
      awaySince = undefined;
      yield job;
      if (isFinal(job.status)) return;
    } catch (error) {
      const isAway = error instanceof CliFailure && error.exitCode === EXIT.unreachable;
      awaySince ??= Date.now();
      if (!isAway || Date.now() - awaySince > PATIENCE_MS) throw error;
    }
    await wait(ASK_MS, undefined, { signal }).catch(() => undefined); // ends early when aborted
  }
}
