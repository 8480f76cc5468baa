/** `/login`: a password for a token, and a token for a newer one until twelve hours after the password. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { databaseTime } from '../db/clock.ts';
import { addressOf } from './caller.ts';
import { BODY_LIMIT, parseJson, readBody } from './body.ts';
import type { ApiDeps } from './context.ts';
import { text } from './fields.ts';
import { MOST_PASSWORD, passwordFits } from './passwords.ts';
import { bodyProblem, Problem, unauthorized } from './problem.ts';
import { defineRoute, faultsOf, subApp } from './route.ts';
import { signToken, TOKEN_SECONDS } from './tokens.ts';
import { checkValue } from './well-formed.ts';

/** Bad tries a minute from one address. */
const BAD_TRIES = 20;
const RENEWABLE_SECONDS = 12 * 3600;
const MOST_USERNAME = 64;
const EXAMPLE_ISSUER = 'https://login.example.org/realms/data';

const credentials = z
  .strictObject({ username: text(MOST_USERNAME, 1), password: text(MOST_PASSWORD, 1) })
  .openapi('Login', { example: { username: 'admin', password: 'the password' } });

const answer = z
  .object({ access_token: z.string(), expires_in: z.literal(TOKEN_SECONDS), token_type: z.literal('bearer') })
  .openapi('Token', {
    example: { access_token: 'eyJhbGciOiJIUzI1NiJ9…', expires_in: TOKEN_SECONDS, token_type: 'bearer' },
  });

/** A plain description, so that the three ways to send it are read by us and not by three validators. */
const documented = {
  schema: {
    type: 'object' as const,
    properties: {
      username: { type: 'string' as const, minLength: 1, maxLength: MOST_USERNAME },
      password: { type: 'string' as const, minLength: 1, maxLength: MOST_PASSWORD },
    },
    required: ['username', 'password'],
    additionalProperties: false,
  },
  example: { username: 'admin', password: 'the password' },
};

const loginRoute = defineRoute({
  method: 'post',
  path: '/login',
  tag: 'login',
  summary: 'Log in',
  access: 'public',
  ownBody: {
    required: true,
    content: {
      'application/json': documented,
      'application/x-www-form-urlencoded': documented,
      'multipart/form-data': documented,
    },
  },
  answers: { 200: { description: 'A bearer token.', schema: answer } },
  errors: [wrongCredentials(), localLoginOff(EXAMPLE_ISSUER), tooManyTries(60), unknownType(), 413, 422],
});

const renewRoute = defineRoute({
  method: 'post',
  path: '/login/renew',
  tag: 'login',
  summary: 'A newer token for a valid one, up to 12 h after the password',
  access: 'viewer',
  answers: { 200: { description: 'A bearer token.', schema: answer } },
  errors: [loginExpired(), localLoginOff(EXAMPLE_ISSUER), notOurs(EXAMPLE_ISSUER), notRenewed()],
});

export function login({ config, db }: ApiDeps) {
  const app = subApp();
  const tries = new RateLimiterMemory({ points: BAD_TRIES, duration: 60 });
  const give = async (c: Context, sub: string, authTime: number) =>
    c.json(
      {
        access_token: await signToken(config.secrets, { sub, authTime }, databaseTime(db)),
        expires_in: TOKEN_SECONDS,
        token_type: 'bearer',
      },
      200,
      { 'cache-control': 'no-store' },
    );
  const checkLocalLogin = () => {
    if (!config.localLogin) throw localLoginOff(config.oidc?.issuer ?? '');
  };
  app.openapi(loginRoute, async (c) => {
    checkLocalLogin();
    const { username, password } = readCredentials(await readFields(c));
    const from = addressOf(c);
    // Counted before it is known to be bad, so that many at once do not slip through; a good one is given back.
    await tries.consume(from).catch((refused: unknown) => {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      throw tooManyTries(Math.max(1, Math.ceil(refused.msBeforeNext / 1000)));
    });
    if (!(await passwordFits(c.var.db, username, password))) throw wrongCredentials();
    await tries.reward(from);
    return give(c, username, Math.floor(databaseTime(db).getTime() / 1000));
  });
  app.openapi(renewRoute, async (c) => {
    const { user } = c.var;
    if (user.kind === 'oidc') throw notOurs(config.oidc?.issuer ?? '');
    if (user.kind === 'token') throw notRenewed();
    checkLocalLogin();
    const { username, authTime } = user;
    if (databaseTime(db).getTime() / 1000 - authTime > RENEWABLE_SECONDS) throw loginExpired();
    return give(c, username, authTime);
  });
  return app;
}

function wrongCredentials(): Problem {
  return unauthorized('wrong username or password', { code: 'wrong_credentials' });
}

function loginExpired(): Problem {
  return unauthorized('the password was given more than 12 hours ago; log in again', {
    code: 'login_expired',
  });
}

function localLoginOff(issuer: string): Problem {
  return new Problem(
    403,
    'local_login_off',
    `nobody logs in here (LOCAL_LOGIN=false): ${issuer} gives tokens`,
  );
}

function notOurs(issuer: string): Problem {
  return new Problem(409, 'not_ours', `the token is of ${issuer}, which alone can give a newer one`);
}

function notRenewed(): Problem {
  return new Problem(
    409,
    'not_renewed',
    "a program's token lasts until it expires: `syncrator tokens create`",
  );
}

function tooManyTries(seconds: number): Problem {
  return new Problem(429, 'too_many_tries', `more than ${BAD_TRIES} bad tries a minute from your address`, {
    headers: { 'retry-after': String(seconds) },
  });
}

function unknownType(): Problem {
  const types = 'application/json, application/x-www-form-urlencoded or multipart/form-data';
  return new Problem(415, 'unknown_type', `send the header Content-Type: ${types}`);
}

function readCredentials(fields: unknown): z.infer<typeof credentials> {
  const parsed = credentials.safeParse(fields);
  if (!parsed.success) throw bodyProblem(parsed.error.issues.flatMap(faultsOf));
  return parsed.data;
}

async function readFields(c: Context): Promise<unknown> {
  const type = c.req.header('content-type') ?? '';
  const bytes = await readBody(c, BODY_LIMIT);
  if (/^application\/json(\s*;|$)/i.test(type)) return parseJson(bytes);
  if (!/^(application\/x-www-form-urlencoded|multipart\/form-data)(\s*;|$)/i.test(type)) throw unknownType();
  c.req.raw = new Request(c.req.raw, { method: 'POST', body: bytes });
  const form: unknown = await c.req.parseBody({ all: true }).catch(() => {
    throw new Problem(400, 'malformed', 'the body is not a well-formed form');
  });
  checkValue(form);
  return form;
}
