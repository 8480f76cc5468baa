/** Single requests to the parts of the cluster, over TLS verified with the cluster's own CA. */
import http from 'node:http';
import https from 'node:https';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';

export type Endpoint = {
  readonly url: string;
  readonly caFile?: string;
  readonly token?: string;
};

export type Answer = { readonly status: number; readonly body: string };

/** @throws Error when no answer comes within 10 s, or the signal's time */
export async function request(
  endpoint: Endpoint,
  method: string,
  path: string,
  options: { body?: unknown; contentType?: string; accept?: string; signal?: AbortSignal } = {},
): Promise<Answer> {
  const url = new URL(path, endpoint.url);
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  const settings: https.RequestOptions = {
    method,
    agent: false, // a kept connection would outlive a part that a test kills
    signal: options.signal ?? AbortSignal.timeout(10_000),
    headers: {
      accept: options.accept ?? 'application/json',
      ...(endpoint.token === undefined ? {} : { authorization: `Bearer ${endpoint.token}` }),
      ...(options.body === undefined ? {} : { 'content-type': options.contentType ?? 'application/json' }),
    },
    ...(endpoint.caFile === undefined ? {} : { ca: readFileSync(endpoint.caFile) }),
  };
  const call =
    url.protocol === 'https:'
      ? https.request(url, settings, resolve)
      : http.request(url, settings as http.RequestOptions, resolve);
  call.on('error', reject);
  call.end(options.body === undefined ? undefined : JSON.stringify(options.body));
  const response = await promise;
  return { status: response.statusCode ?? 0, body: await text(response) };
}

/** Creates the object unless one of that name exists. */
export async function ensure(api: Endpoint, collection: string, object: object): Promise<void> {
  const { status, body } = await request(api, 'POST', collection, { body: object });
  if (status !== 201 && status !== 409)
    throw new Error(`POST ${collection} answered ${status}: ${body.slice(0, 300)}`);
}
