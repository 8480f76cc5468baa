/** The api as the person at the terminal calls it: with the kept token, renewed in time, and faults as a command's end. */
import type { FollowOptions } from '../client/events.ts';
import {
  type CallOptions,
  createHttp,
  type Http,
  reasonHeader,
  Refused,
  RENEW_AFTER_MS,
  type Reply,
  Unreachable,
} from '../client/http.ts';
import { CliFailure, EXIT } from './failure.ts';
import { keepToken, readToken } from './tokens.ts';

/** A server that is away is asked again for so long: it may be restarting. */
export const PATIENCE_MS = 120_000;

export type Server = {
  readonly url: string;
  /** @throws CliFailure for a refusal, with the server's words, and for a server that cannot be reached */
  call<T>(method: string, route: string, call?: CallOptions): Promise<Reply<T>>;
  /** The text of an answer that is not JSON. @throws CliFailure */
  text(route: string): Promise<string>;
  /**
   * What a stream tells until it ends or the signal aborts; sits out a server that is away for a while.
   * @throws CliFailure for a refusal, and for a server that stays away
   */
  live<T>(
    signal: AbortSignal,
    open: (http: Http, follow: FollowOptions) => AsyncGenerator<T>,
  ): AsyncGenerator<T>;
  /** Exchanges a password for a token, and keeps it. */
  login(username: string, password: string): Promise<void>;
  logout(): void;
};

type TokenJson = { readonly access_token?: string };

/**
 * @param options.token given outright (SYNCRATOR_TOKEN): neither kept nor renewed
 * @param options.reason goes with whatever is not a mere look
 * @param options.signal cuts every call short
 */
export function createServer(options: {
  url: string;
  tokens: string;
  token: string | undefined;
  reason?: string | undefined;
  signal?: AbortSignal | undefined;
}): Server {
  const { url, tokens, signal } = options;
  const isGiven = options.token !== undefined;
  const httpWith = (token: () => Promise<string | undefined>) => createHttp({ url, token });
  const http = httpWith(async () => options.token ?? (await currentToken()));

  /** Renewed on the way when it is old; where that is refused, the call itself will say why. */
  async function currentToken(): Promise<string | undefined> {
    const kept = readToken(tokens, url);
    if (!kept || Date.now() < kept.renewAt) return kept?.token;
    try {
      const old = httpWith(() => Promise.resolve(kept.token));
      return keep((await old.call<TokenJson>('POST', '/login/renew', { signal })).body);
    } catch (error) {
      if (error instanceof Refused) return kept.token;
      throw error;
    }
  }

  function keep({ access_token: token }: TokenJson): string {
    if (token === undefined) throw new CliFailure(`${url} gave no token: is it a Syncrator server?`);
    keepToken(tokens, url, { token, renewAt: Date.now() + RENEW_AFTER_MS });
    return token;
  }

  async function told<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      throw failureOf(error, url, isGiven);
    }
  }

  return {
    url,
    call: <T>(method: string, route: string, call: CallOptions = {}) => {
      const why = method === 'GET' ? {} : reasonHeader(options.reason);
      return told(http.call<T>(method, route, { signal, ...call, headers: { ...why, ...call.headers } }));
    },
    text: (route) => told(http.text(route)),
    async *live(signal, open) {
      const gaveUp = new AbortController();
      let awaySince: number | undefined;
      let why: unknown;
      const onState: FollowOptions['onState'] = (state) => {
        awaySince = state.connected ? undefined : (awaySince ?? Date.now());
        why = state.why ?? why;
        if (awaySince !== undefined && Date.now() - awaySince > PATIENCE_MS) gaveUp.abort();
      };
      try {
        yield* open(http, { signal: AbortSignal.any([signal, gaveUp.signal]), onState });
      } catch (error) {
        throw failureOf(error, url, isGiven);
      }
      if (gaveUp.signal.aborted) throw failureOf(why ?? new Unreachable(url, 'it breaks off'), url);
    },
    async login(username, password) {
      const stranger = httpWith(() => Promise.resolve(undefined));
      const asked = stranger.call<TokenJson>('POST', '/login', { json: { username, password } });
      try {
        keep((await asked).body);
      } catch (error) {
        // Not failureOf: who is refused here need not be told to log in.
        throw error instanceof Refused ? refusal(error) : failureOf(error, url);
      }
    },
    logout: () => keepToken(tokens, url, undefined),
  };
}

/** What the client throws as the end of a command; other errors as they are. */
function failureOf(error: unknown, url: string, isGiven = false): unknown {
  if (error instanceof Unreachable)
    return new CliFailure(
      `${error.message}. Is it running? Another address: --url or SYNCRATOR_URL.`,
      EXIT.unreachable,
    );
  if (!(error instanceof Refused)) return error;
  if (error.status === 401 && isGiven)
    return new CliFailure(`${url} does not take SYNCRATOR_TOKEN (${error.code}): ${error.message}`);
  return error.status === 401
    ? new CliFailure(`${url} does not know you (${error.code}). Log in: syncrator login`)
    : refusal(error);
}

/** The server's own words, field by field. */
function refusal({ message, fields, status }: Refused): CliFailure {
  const lines = [message, ...fields.map((fault) => `  ${fault.field}: ${fault.message}`)];
  return new CliFailure(lines.join('\n'), status >= 500 ? EXIT.unreachable : EXIT.usage);
}
