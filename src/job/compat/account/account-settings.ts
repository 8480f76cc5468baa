/** Reads the settings of SOURCE=rest: API address, credentials, tables. */
import { refuseColumns } from '../../columns/columns-settings.ts';
import { refuseRecordSettings } from '../../fields/fields-settings.ts';
import type { Settings } from '../../settings-file.ts';
import { readPostgresUrl } from '../../postgres-url.ts';

export type Credentials =
  | { readonly kind: 'token'; readonly token: string }
  | {
      readonly kind: 'password';
      readonly user: string;
      readonly password: string;
      /** Interval between the starts of two attempts to fetch a token. */
      readonly retryMs: number;
    };

export type AccountSettings = {
  /** Ends with a slash; without credentials, query and fragment. */
  readonly apiUrl: string;
  readonly credentials: Credentials;
  /** Limit of one call, from connecting to the end of the answer. */
  readonly timeoutMs: number;
  readonly sinkUrl: string;
  /** Schema of the tables users, warehouses and users_warehouses. */
  readonly schema: string;
};

/** @throws JobError `notConfigured`, naming the key and never its value */
export function readAccountSettings(settings: Settings): AccountSettings {
  settings.oneOf('SINK', ['postgres']);
  refuseRecordSettings(settings, 'rest');
  refuseColumns(settings, 'SOURCE=rest');
  const { optional, fault } = settings;
  const schema = optional('SINK_SCHEMA') ?? 'public';
  if (!/^[a-z_][a-z0-9_]{0,50}$/.test(schema))
    throw fault('SINK_SCHEMA is not a name of at most 51 lower-case letters, digits and _');
  return {
    apiUrl: readApiUrl(settings),
    credentials: readCredentials(settings),
    timeoutMs: 1000 * seconds(settings, 'API_TIMEOUT_SECONDS', 5, 1),
    sinkUrl: readPostgresUrl(settings, 'SINK_URL'),
    schema,
  };
}

function readApiUrl({ url, fault }: Settings): string {
  const address = new URL(url('ACCOUNT_API_URL', ['https:', 'http:']));
  if (address.username || address.password || address.search || address.hash) {
    throw fault(
      'ACCOUNT_API_URL contains more than an address: put credentials into API_TOKEN, or API_USER and API_PASSWORD',
    );
  }
  return address.href.replace(/\/*$/, '/');
}

/** A configured token has priority and is assumed never to expire. */
function readCredentials(settings: Settings): Credentials {
  const { optional, fault } = settings;
  const token = optional('API_TOKEN');
  if (token !== undefined) {
    if (!/^[\x21-\x7e]+$/.test(token))
      throw fault('API_TOKEN has characters that are not allowed in an HTTP header');
    return { kind: 'token', token };
  }
  const user = optional('API_USER');
  const password = optional('API_PASSWORD');
  if (user === undefined && password === undefined)
    throw fault('API_TOKEN is missing, and so are API_USER and API_PASSWORD');
  if (user === undefined || password === undefined)
    throw fault(`${user === undefined ? 'API_USER' : 'API_PASSWORD'} is missing`);
  const retryMs = 1000 * seconds(settings, 'INTERVAL_RETRY_TOKEN_SECONDS', 10, 0);
  return { kind: 'password', user, password, retryMs };
}

function seconds({ optional, fault }: Settings, key: string, otherwise: number, least: number): number {
  const text = optional(key);
  if (text === undefined) return otherwise;
  if (!/^\d{1,4}$/.test(text) || Number(text) < least || Number(text) > 3600)
    throw fault(`${key} is not a whole number from ${least} to 3600`);
  return Number(text);
}
