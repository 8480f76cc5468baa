/** A file of a web server. */
import { join } from 'node:path';
import { type HttpAnswer, httpCall } from '../../http/http-call.ts';
import { HttpFault, statusFault } from '../../http/http-fault.ts';
import { retryThroughOutage } from '../../http/outage.ts';
import { retryAfter } from '../../http/retry-after.ts';
import { shownUrl } from '../../mask.ts';
import { serverAddress } from '../../http/server-address.ts';
import { fetchedFile } from './fetched-file.ts';
import type { HttpAddress } from './files-settings.ts';
import type { Place, PlaceOptions } from './place.ts';
import { type Ask, FETCH_MS, PLAIN, type RemoteFile, versionOf } from './remote-file.ts';

export function createHttpPlace({ url: text }: HttpAddress, { patience, silenceMs }: PlaceOptions): Place {
  const { url, headers: credentials } = serverAddress(text, 'SOURCE_PATH');
  const shownAs = shownUrl(text);
  const ask: Ask = (headers) =>
    httpCall({
      url,
      shownAs,
      headers: { ...PLAIN, ...credentials, ...headers },
      addressOf: 'SOURCE_PATH',
      deadlineMs: FETCH_MS,
      stop: patience.stop,
      ...(silenceMs === undefined ? {} : { silenceMs }),
    });
  const remote: RemoteFile = { shownAs, ask, refused: async (answer) => faultOf(answer, shownAs) };
  return {
    shownAs,
    isPattern: false,
    async list() {
      const seen = await retryThroughOutage(patience, () => versionOf(remote));
      return [
        {
          name: shownAs,
          ...seen,
          writtenMs: null,
          total: async () => null,
          open: (folder) => fetchedFile(join(folder, 'fetched'), remote, { patience, arrived: 'as-written' }),
        },
      ];
    },
  };
}

function faultOf(answer: HttpAnswer, shownAs: string): HttpFault {
  const { status, header, discard } = answer;
  discard();
  if (status === 404 || status === 410)
    return new HttpFault(
      'http_error',
      `${shownAs} answered ${status}: there is no such file; correct SOURCE_PATH`,
      { status },
    );
  if (status < 400)
    return new HttpFault('http_error', `${shownAs} answered ${status}: only 200 brings a whole file`, {
      status,
    });
  return statusFault(status, shownAs, retryAfter(header('retry-after')));
}
