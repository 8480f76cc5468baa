/** Addresses of servers over HTTP. */
import { expect, it } from 'vitest';
import { createJsonClient } from '../../../src/job/http/json-client.ts';
import { serverAddress } from '../../../src/job/http/server-address.ts';
import { OPENSEARCH } from '../../../src/job/sinks/opensearch/client.ts';

it('credentials leave the URL for a header', () => {
  const { url, headers } = serverAddress('https://an%40na:p%25%C3%A4@search.example/x', 'SINK_URL');
  expect(url.href).toBe('https://search.example/x');
  expect(headers).toEqual({ authorization: `Basic ${Buffer.from('an@na:p%ä').toString('base64')}` });
});

it('a % that begins no escape is refused by the name of the setting, without the password', () => {
  const patience = { stop: new AbortController().signal, onWait: () => {}, patienceMs: 0 };
  const wrong = 'SINK_URL has a % in its user or password that is not part of an escape; write it as %25';
  expect(() => createJsonClient({ ...OPENSEARCH, url: 'http://anna:100%@127.0.0.1:9200' }, patience)).toThrow(
    expect.objectContaining({ message: wrong, code: 'notConfigured' }),
  );
});
