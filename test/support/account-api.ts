/**
 * A stand-in for the account's hosted API, by its documentation: tokens for passwords, the user, the user's
 * warehouses.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type AccountUser = {
  id: number;
  username: string;
  email: string;
  employee_id: string;
  first_name: string;
  last_name: string;
};
export type AccountWarehouse = { id: number; name: string; line1: string } & Record<string, unknown>;

/** `stall` accepts the call and never answers; `drop` cuts the connection; `half` cuts it within the answer. */
export type Trouble =
  | 'stall'
  | 'drop'
  | 'half'
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string };

export type AccountCall = { readonly method: string; readonly path: string; readonly body: unknown };

export type AccountApi = AsyncDisposable & {
  /** The value for ACCOUNT_API_URL. */
  readonly url: string;
  /** The calls received, oldest first. */
  readonly calls: AccountCall[];
  user: AccountUser;
  warehouses: AccountWarehouse[];
  /** A token that never expires, whatever `tokens` says. */
  fixedToken: string;
  password: string;
  /** Lifetime of tokens granted from now on. */
  expiresInSeconds: number;
  /** Every token granted so far, newest last. */
  readonly granted: string[];
  /** Calls with an invalid token. */
  refusals: number;
  /** Revokes all granted tokens. */
  revoke(): void;
  /**
   * The fault of a call; undefined: none.
   * @param count calls of this path so far, this one included
   */
  trouble: (path: string, count: number) => Trouble | undefined | Promise<undefined>;
  /** Number of calls of a path. */
  count(path: string): number;
};

/** Two texts that must never appear outside a call. */
export const FIXED_TOKEN = 'fixed-token-4711-secret';
export const API_PASSWORD = 'pass-word-0815-secret';

/** An address whose name is too long for DNS: it is unknown everywhere, and no resolver is asked. */
export const NO_SUCH_NAME = `https://${'x'.repeat(64)}.invalid/api/v1/`;

export const FIVE_WAREHOUSES: readonly AccountWarehouse[] = [1, 2, 3, 4, 5].map((id) => ({
  id,
  name: `Warehouse ${id}`,
  line1: `${id} Dock Street`,
  line2: null,
  site: 'North',
  city: 'Valencia',
  state: null,
  zip_code: `4600${id}`,
  country: 'ES',
  fax: null,
  phone: '+34 960 000 000',
  // Fields of the documentation that the program does not need.
  active: true,
  owner: { id: 3 },
}));

export async function startAccountApi(): Promise<AccountApi> {
  const tokens = new Map<string, number>();
  const calls: AccountCall[] = [];
  const granted: string[] = [];

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const path = (request.url ?? '').replace(/^\/api\/v1\//, '');
    const method = request.method ?? '';
    const text = await readText(request);
    calls.push({ method, path, body: text === '' ? undefined : JSON.parse(text) });
    const trouble = await api.trouble(path, api.count(path));
    if (trouble === 'stall') return;
    if (trouble === 'drop') return void request.socket.destroy();
    const send = (status: number, body: unknown) => {
      const json = JSON.stringify(body);
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': json.length });
      if (trouble === 'half') response.write(json.slice(0, 10), () => request.socket.destroy());
      else response.end(json);
    };
    if (typeof trouble === 'object') {
      response.writeHead(trouble.status, trouble.headers).end(trouble.body ?? '');
    } else if (method === 'POST' && path === 'auth') grant(calls.at(-1)?.body, send);
    else if (!isGood(request.headers.authorization ?? '')) {
      api.refusals += 1;
      send(401, { error: 'invalid_token' });
    } else if (method === 'GET' && path === 'iam/users/me') send(200, { ...api.user, active: true });
    else if (method === 'GET' && path === `iam/users/${api.user.id}/warehouses`) {
      send(200, { ...api.user, warehouses: api.warehouses });
    } else send(404, { error: 'not_found' });
  };

  const grant = (body: unknown, send: (status: number, body: unknown) => void) => {
    const { grant_type, username, password, scope } = (body ?? {}) as Record<string, unknown>;
    if (grant_type !== 'password' || scope !== 'default') return send(400, { error: 'invalid_request' });
    if (username !== api.user.username || password !== api.password) {
      return send(400, { error: 'invalid_grant' });
    }
    const token = `granted-token-${granted.length + 1}-secret`;
    tokens.set(token, performance.now() + api.expiresInSeconds * 1000);
    granted.push(token);
    send(200, {
      access_token: token,
      expires_in: api.expiresInSeconds,
      scope: 'default',
      token_type: 'bearer',
    });
  };

  const isGood = (header: string): boolean => {
    const token = /^Bearer (.+)$/.exec(header)?.[1] ?? '';
    return token === api.fixedToken || (tokens.get(token) ?? 0) > performance.now();
  };

  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const api: AccountApi = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/`,
    calls,
    user: {
      id: 3,
      username: 'alice',
      email: 'alice@example.org',
      employee_id: 'E-3',
      first_name: 'Alice',
      last_name: 'Arnau',
    },
    warehouses: structuredClone([...FIVE_WAREHOUSES]),
    fixedToken: FIXED_TOKEN,
    password: API_PASSWORD,
    expiresInSeconds: 3600,
    granted,
    refusals: 0,
    revoke: () => tokens.clear(),
    trouble: () => undefined,
    count: (path) => calls.filter((call) => call.path === path).length,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return api;
}

async function readText(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  return Buffer.concat(pieces).toString();
}
