/** `/login`: exchanges a password for a token; `/login/renew`: a token for a newer one, for twelve hours after the password. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { setCookie } from 'hono/cookie';
import { databaseTime } from '../../db/clock.ts';
import { BODY_LIMIT, parseJson, readBody } from '../http/body.ts';
import type { ApiDeps } from '../context.ts';
import { text } from '../http/fields.ts';
import { DEVICE_COOKIE, DEVICE_SECONDS, makeDevice } from './known-device.ts';
import { loginsBusy, PasswordLogin, tooManyTries, wrongCredentials } from './password-attempts.ts';
import { MOST_PASSWORD } from './passwords.ts';
import { bodyProblem, Problem, unauthorized } from '../http/problem.ts';
import { defineRoute, faultsOf, subApp } from '../http/route.ts';
import { signToken, TOKEN_SECONDS } from './tokens.ts';
import { checkValue } from '../http/input-checks.ts';

const RENEWABLE_SECONDS = 12 * 3600;
const MOST_USERNAME = 64;
const EXAMPLE_ISSUER = 'https://login.example.org/realms/data';

const credentials = z
  .strictObject({ username: text(MOST_USERNAME, 1), password: text(MOST_PASSWORD, 1) })
  .openapi('Login', { example: { username: 'admin', password: 'the password' } });

const answer = z
  .object({
    access_token: z.string().describe('Send it as `Authorization: Bearer <access_token>`.'),
    expires_in: z.literal(TOKEN_SECONDS).describe('Lifetime in seconds.'),
    token_type: z.literal('bearer').describe('The scheme of the Authorization header.'),
  })
  .openapi('Token', {
    example: { access_token: 'eyJhbGciOiJIUzI1NiJ9…', expires_in: TOKEN_SECONDS, token_type: 'bearer' },
  });

/** Documents the body only: the handler reads all three media types itself, instead of three validators. */
const documented = {
  schema: {
    type: 'object' as const,
    properties: {
      username: {
        type: 'string' as const,
        minLength: 1,
        maxLength: MOST_USERNAME,
        description: 'Name of a local user.',
      },
      password: {
        type: 'string' as const,
        minLength: 1,
        maxLength: MOST_PASSWORD,
        description: 'Password of the user.',
      },
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
  description:
    'Exchanges a username and a password for a token. Sets a cookie that marks the browser as known, so that wrong ' +
    'passwords from elsewhere never delay its logins; the cookie grants no access.',
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
  errors: [
    wrongCredentials(),
    localLoginOff(EXAMPLE_ISSUER),
    tooManyTries(8),
    loginsBusy(),
    unknownType(),
    413,
    422,
  ],
});

const renewRoute = defineRoute({
  method: 'post',
  path: '/login/renew',
  tag: 'login',
  description: 'Exchanges a valid token for a newer one, until 12 hours after the login with a password.',
  summary: 'Renew a token',
  access: 'viewer',
  answers: { 200: { description: 'A bearer token.', schema: answer } },
  errors: [loginExpired(), localLoginOff(EXAMPLE_ISSUER), notOurs(EXAMPLE_ISSUER), notRenewed()],
});

export function login({ config, db }: ApiDeps) {
  const app = subApp();
  const door = new PasswordLogin();
  const give = async (c: Context, sub: string, authTime: number) => {
    const token: z.infer<typeof answer> = {
      access_token: await signToken(config.secrets, { sub, authTime }, databaseTime(db)),
      expires_in: TOKEN_SECONDS,
      token_type: 'bearer',
    };
    return c.json(token, 200, { 'cache-control': 'no-store' });
  };
  const checkLocalLogin = () => {
    if (!config.localLogin) throw localLoginOff(config.oidc?.issuer ?? '');
  };
  app.openapi(loginRoute, async (c) => {
    checkLocalLogin();
    const { username, password } = readCredentials(await readFields(c));
    const authTime = await door.pass(c, { username, password });
    setCookie(c, DEVICE_COOKIE, makeDevice(config.secrets, username, databaseTime(db)), {
      path: '/login',
      maxAge: DEVICE_SECONDS,
      httpOnly: true,
      sameSite: 'Strict',
      secure: config.publicUrl?.startsWith('https:') === true,
    });
    return give(c, username, authTime);
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

function loginExpired(): Problem {
  return unauthorized('the password was given more than 12 hours ago; log in again', {
    code: 'login_expired',
  });
}

function localLoginOff(issuer: string): Problem {
  return new Problem(
    403,
    'local_login_off',
    `password logins are disabled (LOCAL_LOGIN=false); get a token from ${issuer}`,
  );
}

function notOurs(issuer: string): Problem {
  return new Problem(409, 'not_ours', `the token was issued by ${issuer}; renew it there`);
}

function notRenewed(): Problem {
  return new Problem(
    409,
    'not_renewed',
    "a program's token cannot be renewed; make a new one with `syncrator tokens create`",
  );
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
    throw new Problem(
      400,
      'malformed',
      'the body is not a well-formed form; check Content-Type and encoding',
    );
  });
  checkValue(form);
  return form;
}
