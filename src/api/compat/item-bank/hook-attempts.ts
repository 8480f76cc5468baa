/** Limits wrong hook secrets per network and minute. */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { Problem, unauthorized } from '../../http/problem.ts';

const BAD_TRIES = 20;

export class HookAttempts {
  readonly #tries = new RateLimiterMemory({ points: BAD_TRIES, duration: 60 });

  /** Counts a wrong secret. @returns the problem if there were too many */
  async take(network: string): Promise<Problem | undefined> {
    try {
      await this.#tries.consume(network);
      return undefined;
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      return tooManySecrets(Math.max(1, Math.ceil(refused.msBeforeNext / 1_000)));
    }
  }
}

export function wrongSecret(): Problem {
  return unauthorized('the header X-Gitlab-Token is not GITLAB_HOOK_SECRET', {
    code: 'wrong_hook_secret',
    anonymous: 'hook_secret',
  });
}

export function tooManySecrets(seconds: number): Problem {
  const detail = `more than ${BAD_TRIES} wrong secrets a minute from your network; the right secret is still accepted`;
  return new Problem(429, 'too_many_tries', detail, {
    headers: { 'retry-after': String(seconds) },
    anonymous: 'hook_secret',
  });
}
