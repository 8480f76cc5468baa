/** What the account's program needs to know: where the API is, who asks, and whose tables are written. */

import type { Settings } from '../settings-file.ts';

export type Credentials =
  | { readonly kind: 'token'; readonly token: string }
  | {
      readonly kind: 'password';
      readonly user: string;
      readonly password: string;
      /** From the beginning of one try to fetch a token to that of the next. */
      readonly retryMs: number;
    };

export type AccountSettings = {
  /** Ends with a slash; without credentials, query and fragment. */
  readonly apiUrl: string;
  readonly credentials: Credentials;
  /** For one call: from connecting to the end of the answer. */
  readonly timeoutMs: number;
  readonly sinkUrl: string;
  /** Of the tables users, warehouses and users_warehouses. */
  readonly schema: string;
};

/** @throws JobError `notConfigured`, naming the key and never its value */
export function readAccountSettings(settings: Settings): AccountSettings {
  settings.oneOf('SINK', ['postgres']);
  const { optional, url, fault } = settings;
  const schema = optional('SINK_SCHEMA') ?? 'public';
  if (!/^[a-z_][a-z0-9_]{0,50}$/.test(schema)) {
    throw fault('SINK_SCHEMA is not a name of at most 51 small letters, digits and _');
  }
  return {
    apiUrl: readApiUrl(settings),
    credentials: readCredentials(settings),
    timeoutMs: 1000 * seconds(settings, 'API_TIMEOUT_SECONDS', 5, 1),
    sinkUrl: url('SINK_URL', ['postgres:', 'postgresql:']),
    schema,
  };
}

function readApiUrl({ url, fault }: Settings): string {
  const address = new URL(url('ACCOUNT_API_URL', ['https:', 'http:']));
  if (address.username || address.password || address.search || address.hash) {
    throw fault(
      'ACCOUNT_API_URL holds more than an address: credentials are API_TOKEN, or API_USER and API_PASSWORD',
    );
  }
  return address.href.replace(/\/*$/, '/');
}

/** A token that is given wins: it is taken to be good for ever. */
function readCredentials(settings: Settings): Credentials {
  const { optional, fault } = settings;
  const token = optional('API_TOKEN');
  if (token !== undefined) {
    if (!/^[\x21-\x7e]+$/.test(token)) throw fault('API_TOKEN holds what no header can carry');
    return { kind: 'token', token };
  }
  const user = optional('API_USER');
  const password = optional('API_PASSWORD');
  if (user === undefined && password === undefined) {
    throw fault('API_TOKEN is missing, and so are API_USER and API_PASSWORD');
  }
  if (user === undefined || password === undefined) {
    throw fault(`${user === undefined ? 'API_USER' : 'API_PASSWORD'} is missing`);
  }
  const retryMs = 1000 * seconds(settings, 'INTERVAL_RETRY_TOKEN_SECONDS', 10, 0);
  return { kind: 'password', user, password, retryMs };
}

function seconds({ optional, fault }: Settings, key: string, otherwise: number, least: number): number {
  const text = optional(key);
  if (text === undefined) return otherwise;
  if (!/^\d{1,4}$/.test(text) || Number(text) < least || Number(text) > 3600) {
    throw fault(`${key} is not a whole number from ${least} to 3600`);
  }
  return Number(text);
}
