/** Splits the address of a server over HTTP: credentials travel in a header, never in a URL. */
import { JobError } from '../job-error.ts';

/** @param setting that holds the address @throws JobError `notConfigured` */
export function serverAddress(
  text: string,
  setting: string,
): { url: URL; headers: Readonly<Record<string, string>> } {
  const url = new URL(text);
  if (!url.username && !url.password) return { url, headers: {} };
  const credentials = `${decoded(url.username, setting)}:${decoded(url.password, setting)}`;
  url.username = url.password = '';
  return { url, headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` } };
}

function decoded(part: string, setting: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    throw new JobError(
      'notConfigured',
      `${setting} has a % in its user or password that is not part of an escape; write it as %25`,
      { cause },
    );
  }
}
