/** Calls the api for a command: with the kept token, renewed in time, and with errors that end the command. */
import { type Client, clientOver } from '../client/client.ts';
import type { FollowOptions } from '../client/events.ts';
import { createHttp, Refused, RENEW_AFTER_MS, Unreachable } from '../client/http.ts';
import { CliFailure, EXIT } from '../terminal/failure.ts';
import { keepToken, readToken } from './tokens.ts';

/** How long a stream waits for an unreachable server, which may be restarting. */
export const PATIENCE_MS = 120_000;

export type Server = {
  readonly url: string;
  /** @throws CliFailure with the server's own message when it refuses, and when it cannot be reached */
  call<T>(work: (api: Client) => Promise<T>): Promise<T>;
  /**
   * Yields what a stream brings until it ends or the signal aborts; waits out an unreachable server for two minutes.
   * @throws CliFailure when the server refuses, and when it stays unreachable
   */
  live<T>(
    signal: AbortSignal,
    open: (api: Client, follow: FollowOptions) => AsyncGenerator<T>,
  ): AsyncGenerator<T>;
  /** Exchanges a password for a token, and keeps it. */
  login(username: string, password: string): Promise<void>;
  logout(): void;
};

type ServerOptions = {
  readonly url: string;
  /** The file of kept tokens. */
  readonly tokens: string;
  /** SYNCRATOR_TOKEN: neither kept nor renewed. */
  readonly token: string | undefined;
  /** Sent with every call that writes. */
  readonly reason?: string | undefined;
  /** Cuts every call short. */
  readonly signal?: AbortSignal | undefined;
};

export function createServer(options: ServerOptions): Server {
  const { url, tokens } = options;
  const failed = (error: unknown) => failureOf(error, url, options.token !== undefined);
  const api = clientWith(options, async () => options.token ?? (await currentToken(options)));
  return {
    url,
    async call(work) {
      try {
        return await work(api);
      } catch (error) {
        throw failed(error);
      }
    },
    live: (signal, open) => patiently(url, signal, (follow) => open(api, follow), failed),
    async login(username, password) {
      const anonymous = clientWith({ url }, () => Promise.resolve(undefined));
      try {
        keep(options, (await anonymous.login(username, password)).access_token);
      } catch (error) {
        // Not failureOf: its advice to log in does not help here.
        throw error instanceof Refused ? refusal(error) : failureOf(error, url);
      }
    },
    logout: () => keepToken(tokens, url, undefined),
  };
}

function clientWith(
  { url, reason, signal }: Pick<ServerOptions, 'url' | 'reason' | 'signal'>,
  token: () => Promise<string | undefined>,
): Client {
  return clientOver(createHttp({ url, token, reason, signal }));
}

/** Renews an old token on the way. If the server refuses that, the call itself will say why. */
async function currentToken(options: ServerOptions): Promise<string | undefined> {
  const { url, tokens, signal } = options;
  const kept = readToken(tokens, url);
  if (!kept || Date.now() < kept.renewAt) return kept?.token;
  try {
    const { access_token: renewed } = await clientWith({ url, signal }, () =>
      Promise.resolve(kept.token),
    ).renewLogin();
    try {
      return keep(options, renewed);
    } catch (error) {
      // The renewed token serves this command, although no file can be written: the next command renews the stored
      // one again.
      if (error instanceof CliFailure && typeof renewed === 'string') return renewed;
      throw error;
    }
  } catch (error) {
    if (error instanceof Refused) return kept.token;
    throw error;
  }
}

/** @throws CliFailure for an answer without a token, and when the file cannot be written */
function keep({ url, tokens }: ServerOptions, token: unknown): string {
  if (typeof token !== 'string') throw new CliFailure(`${url} returned no token: is it a Syncrator server?`);
  keepToken(tokens, url, { token, renewAt: Date.now() + RENEW_AFTER_MS });
  return token;
}

async function* patiently<T>(
  url: string,
  signal: AbortSignal,
  open: (follow: FollowOptions) => AsyncGenerator<T>,
  failed: (error: unknown) => unknown,
): AsyncGenerator<T> {
  const gaveUp = new AbortController();
  let awaySince: number | undefined;
  let why: unknown;
  const onState: FollowOptions['onState'] = (state) => {
    awaySince = state.connected ? undefined : (awaySince ?? Date.now());
    why = state.why ?? why;
    if (awaySince !== undefined && Date.now() - awaySince > PATIENCE_MS) gaveUp.abort();
  };
  try {
    yield* open({ signal: AbortSignal.any([signal, gaveUp.signal]), onState });
  } catch (error) {
    throw failed(error);
  }
  if (gaveUp.signal.aborted) throw failureOf(why ?? new Unreachable(url, 'the stream broke off'), url);
}

/** Turns what the client throws into the end of a command; other errors stay as they are. */
function failureOf(error: unknown, url: string, isGiven = false): unknown {
  if (error instanceof Unreachable)
    return new CliFailure(
      `${error.message}. Is it running? Another address: --url or SYNCRATOR_URL.`,
      EXIT.unreachable,
    );
  if (!(error instanceof Refused)) return error;
  if (error.status === 401 && isGiven)
    return new CliFailure(`${url} rejected SYNCRATOR_TOKEN (${error.code}): ${error.message}`);
  return error.status === 401
    ? new CliFailure(`${url} needs a login (${error.code}): syncrator login`)
    : refusal(error);
}

/** The server's own message, and a line for each field at fault. */
function refusal({ message, fields, status }: Refused): CliFailure {
  const lines = [message, ...fields.map((fault) => `  ${fault.field}: ${fault.message}`)];
  return new CliFailure(lines.join('\n'), status >= 500 ? EXIT.unreachable : EXIT.usage);
}
