/** One job as it changes, by the server's events; where too many listen to those already, by asking each second. */
import { setTimeout as wait } from 'node:timers/promises';
import type { JobJson } from '../api/job-schema.ts';
import { clientOver } from '../client/client.ts';
import { Refused } from '../client/http.ts';
import { isFinal } from '../domain/status.ts';
import { CliFailure, EXIT } from './failure.ts';
import { PATIENCE_MS, type Server } from './remote.ts';

const ASK_MS = 1_000;

/**
 * Ends once the job is final, or the signal aborts.
 * @throws CliFailure when there is no such job, and when the server stays away
 */
export async function* watchJob(server: Server, id: number, signal: AbortSignal): AsyncGenerator<JobJson> {
  const crowded = new AbortController();
  const listening = AbortSignal.any([signal, crowded.signal]);
  yield* server.live(listening, (http, follow) =>
    clientOver(http).liveJob(id, {
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
      const { body } = await server.call<JobJson>('GET', `/jobs/${id}`);
      awaySince = undefined;
      yield body;
      if (isFinal(body.status)) return;
    } catch (error) {
      const isAway = error instanceof CliFailure && error.exitCode === EXIT.unreachable;
      awaySince ??= Date.now();
      if (!isAway || Date.now() - awaySince > PATIENCE_MS) throw error;
    }
    await wait(ASK_MS, undefined, { signal }).catch(() => undefined); // interrupted: at once
  }
}
