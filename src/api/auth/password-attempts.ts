/** Tries passwords: within the limits, a few at once; counts and audits each result. */
import type { Context } from 'hono';
import { getCookie } from 'hono/cookie';
import { databaseTime } from '../../db/clock.ts';
import { findUser } from '../../db/access/users.ts';
import { networkOfCaller } from './request-origin.ts';
import type { ApiEnv } from '../context.ts';
import { Gate } from '../http/gate.ts';
import { DEVICE_COOKIE, deviceOf } from './known-device.ts';
import { LoginLimits } from './login-limits.ts';
import { logInWith } from './passwords.ts';
import { Problem, unauthorized } from '../http/problem.ts';

/** Each check takes 19 MiB and about 25 ms of CPU. */
const CHECKS = { atOnce: 2, mostWaiting: 40 };
/** Characters shown of an unknown name, which may be a password typed into the wrong field. */
const SHOWN = 3;

type Credentials = { readonly username: string; readonly password: string };

/** One instance serves the whole app, so that its limits hold for all logins. */
export class PasswordLogin {
  readonly #limits = new LoginLimits();
  readonly #gate = new Gate(CHECKS);

  /** @returns the time of the login, in seconds since 1970. @throws Problem 401, 429, 503 */
  async pass(c: Context<ApiEnv, string>, { username, password }: Credentials): Promise<number> {
    const { config, db, measures } = c.var;
    const device = deviceOf(config.secrets, username, {
      cookie: getCookie(c, DEVICE_COOKIE),
      now: databaseTime(db),
    });
    const begun = await this.#limits.begin({ username, network: networkOfCaller(c), device });
    if (typeof begun === 'number') {
      measures?.loggedIn('delayed');
      return await this.#refuse(c, username, tooManyTries(begun));
    }
    const checked = await this.#gate
      .run(() => logInWith(db, username, password), { isFirst: begun.isKnown })
      .catch(async (error: unknown) => {
        await begun.takeBack();
        throw error;
      });
    if (!checked) {
      await begun.takeBack();
      measures?.loggedIn('busy');
      throw loginsBusy();
    }
    if (checked.result === undefined) {
      measures?.loggedIn('bad');
      return await this.#refuse(c, username, wrongCredentials());
    }
    await begun.good();
    measures?.loggedIn('good');
    await c.var.denials.noteLogin(c, username);
    return checked.result;
  }

  async #refuse(c: Context<ApiEnv, string>, username: string, problem: Problem): Promise<never> {
    await c.var.denials.noteAnonymous(c, async () => {
      const isKnown = (await findUser(c.var.db, username)) !== undefined;
      const name = isKnown ? username : `${Array.from(username).slice(0, SHOWN).join('')}…`;
      return { verb: 'login', object: `user ${name}`, refused: problem.code, detail: {} };
    });
    throw problem;
  }
}

export function wrongCredentials(): Problem {
  return unauthorized('wrong username or password', { code: 'wrong_credentials' });
}

export function tooManyTries(seconds: number): Problem {
  const detail = `too many wrong passwords under this name or from your network; try again in ${seconds} s`;
  return new Problem(429, 'too_many_tries', detail, { headers: { 'retry-after': String(seconds) } });
}

export function loginsBusy(): Problem {
  return new Problem(503, 'logins_busy', 'too many passwords are being checked; try again', {
    headers: { 'retry-after': '2' },
  });
}
