/** Splits the address of a source over HTTP: credentials travel in a header, never in a URL. */
import { JobError } from '../job-error.ts';

/** @throws JobError `notConfigured` */
export function sourceAddress(text: string): { url: URL; headers: Readonly<Record<string, string>> } {
  const url = new URL(text);
  if (!url.username && !url.password) return { url, headers: {} };
  const credentials = `${decoded(url.username)}:${decoded(url.password)}`;
  url.username = url.password = '';
  return { url, headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` } };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new JobError(
      'notConfigured',
      'SOURCE_URL has a % in its user or password that is not part of an escape; write it as %25',
      { cause },
    );
  }
}
