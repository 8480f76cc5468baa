/** Looks at a file of a server and fetches it whole: after a broken connection it goes on behind the bytes that it has. */
import { open, type FileHandle, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { HttpAnswer } from '../../http/http-call.ts';
import { HttpFault } from '../../http/http-fault.ts';
import { createOutage, type Patience } from '../../http/outage.ts';
import { noRoom } from '../no-room.ts';

/** For the whole file; a silence ends it much earlier. */
export const FETCH_MS = 6 * 3_600_000;
/** The bytes as they are stored, not packed for the way; no outdated copy of a cache. */
export const PLAIN = { 'accept-encoding': 'identity', 'cache-control': 'no-cache' } as const;

/** A GET of the file; the bytes come as they are stored. @throws HttpFault */
export type Ask = (headers: Readonly<Record<string, string>>) => Promise<HttpAnswer>;

export type RemoteFile = {
  /** As it appears in errors. */
  readonly shownAs: string;
  readonly ask: Ask;
  /** The error of an answer that has no file. */
  readonly refused: (answer: HttpAnswer) => Promise<HttpFault>;
};

/** The facts that change with the file, as far as the server tells them: one byte is asked for, since some servers allow no HEAD. */
export async function versionOf({
  ask,
  refused,
}: RemoteFile): Promise<{ readonly version: string; readonly isSure: boolean }> {
  const answer = await ask({ range: 'bytes=0-0' });
  // 416: the file is empty.
  if (![200, 206, 416].includes(answer.status)) throw await refused(answer);
  answer.discard();
  const size = /\/(\d+)$/.exec(answer.header('content-range') ?? '')?.[1] ?? answer.header('content-length');
  const told = answer.header('etag') ?? answer.header('last-modified');
  return { version: JSON.stringify([told, answer.status === 416 ? '0' : size]), isSure: told !== null };
}

/** @returns whether the body ended as its framing said */
export async function fetchTo(
  path: string,
  file: RemoteFile,
  patience: Patience,
): Promise<{ readonly framed: boolean }> {
  const outage = createOutage(patience);
  const handle = await open(path, 'w').catch((error: unknown) => {
    throw noRoom(error);
  });
  const state: Fetched = { bytes: 0, size: null, validator: null, framed: true };
  let most = 0;
  try {
    for (;;) {
      try {
        await fetchRest(handle, path, file, state);
        if (state.bytes !== (state.size ?? state.bytes)) continue;
        outage.over();
        return { framed: state.framed };
      } catch (error) {
        if (!(error instanceof HttpFault)) throw error;
        // More of it arrived, so this failure begins a new outage.
        if (state.bytes > most) outage.over();
        most = Math.max(most, state.bytes);
        await outage.failed(error);
      }
    }
  } finally {
    await handle.close();
  }
}

type Fetched = {
  bytes: number;
  /** Of the whole file; null: the server does not tell. */
  size: number | null;
  /** A strong ETag or a date, by which a server tells that the rest belongs to the same file; null without one. */
  validator: string | null;
  framed: boolean;
};

/** Fetches what is missing, or a part of it: a server may send less than the range that it is asked for. */
async function fetchRest(
  handle: FileHandle,
  path: string,
  { ask, refused, shownAs }: RemoteFile,
  state: Fetched,
): Promise<void> {
  const isRest = state.bytes > 0 && state.validator !== null;
  const answer = await ask(
    isRest ? { range: `bytes=${state.bytes}-`, 'if-range': state.validator ?? '' } : {},
  );
  if (isRest && answer.status === 206) {
    refuseOther(answer, state, shownAs);
  } else {
    if (answer.status !== 200) throw await refused(answer);
    await handle.truncate(0);
    Object.assign(state, { bytes: 0, size: sizeOf(answer), validator: validatorOf(answer) });
  }
  state.framed = answer.framed;
  try {
    await refuseLackOfRoom(path, answer);
    const before = state.bytes;
    for await (const chunk of answer.chunks) {
      await handle.write(chunk, 0, chunk.length, state.bytes).catch((error: unknown) => {
        throw noRoom(error);
      });
      state.bytes += chunk.length;
    }
    if (state.size === null || state.bytes === state.size) return;
    if (state.bytes === before || state.bytes > state.size)
      throw new HttpFault('bad_answer', `${shownAs} sent ${state.bytes} bytes instead of ${state.size}`);
  } finally {
    answer.discard();
  }
}

/** Notes the size that a part tells. @throws HttpFault unless it goes on behind the bytes at hand, in the same file */
function refuseOther(answer: HttpAnswer, state: Fetched, shownAs: string): void {
  const [, from, to, size] =
    /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.header('content-range') ?? '')?.map(Number) ?? [];
  const told = validatorOf(answer);
  const isSame = told === null || told === state.validator;
  if (isSame && from === state.bytes && to !== undefined && to >= from && size === (state.size ?? size)) {
    state.size = size ?? null;
    return;
  }
  answer.discard();
  // The next attempt begins anew.
  Object.assign(state, { bytes: 0, size: null, validator: null });
  const words = `${shownAs} answered a request for the rest of the file with another part`;
  throw new HttpFault('bad_answer', words, { mayPass: true });
}

/** null: the bytes arrive packed for the way, so their number and positions are others. */
function sizeOf({ header }: HttpAnswer): number | null {
  const length = header('content-length');
  return length === null || isPacked(header) ? null : Number(length);
}

function validatorOf({ header }: HttpAnswer): string | null {
  if (isPacked(header)) return null;
  const etag = header('etag');
  return etag !== null && !etag.startsWith('W/') ? etag : header('last-modified');
}

function isPacked(header: HttpAnswer['header']): boolean {
  return (header('content-encoding') ?? 'identity') !== 'identity';
}

/** A disk that is full disturbs every other program on it. */
async function refuseLackOfRoom(path: string, { header }: HttpAnswer): Promise<void> {
  const wanted = Number(header('content-length') ?? 0);
  const { bavail, bsize } = await statfs(dirname(path));
  if (wanted > bavail * bsize)
    throw noRoom(new Error(`${wanted} bytes are to come, and ${bavail * bsize} are free`));
}
