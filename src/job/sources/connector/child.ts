/**
 * Runs one command of a connector in a process group of its own, with a folder for its files. At the end nothing of both is
 * left: neither a process nor the config, not even if this program is killed.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Duplex, Readable } from 'node:stream';
import { JobError } from '../../job-error.ts';
import { type Line, linesOf } from '../lines.ts';
import { noRoom } from '../no-room.ts';
import { makeRunFolder } from '../run-folder.ts';
import { createLinger } from './linger.ts';
import { removeFolder } from './remove-folder.ts';
import { killStragglers } from './stragglers.ts';

export type Command = {
  /** Texts of its files, by name. */
  readonly files: Readonly<Record<string, string>>;
  /** @param at the path of a file */
  readonly argv: (at: (name: string) => string) => readonly string[];
};

export type ChildEnd = {
  /** 128 and the signal's number if it was killed. */
  readonly code: number;
  /** A process that it left behind still held its output, and may have had more to write. */
  readonly isCut: boolean;
};

export type ChildOptions = {
  readonly silenceMs: number;
  readonly stop: AbortSignal;
  readonly onOutput: (lines: readonly Line[]) => void | Promise<void>;
  readonly onError: (lines: readonly Line[]) => void;
};

/**
 * Leads the group, and waits for the program. File descriptor 3 is a pipe that nobody writes to: it ends when this
 * program ends, also by SIGKILL, and then the group dies, too, with the processes that have left it (stragglers.ts).
 */
const LEASH = `folder=$1; shift
{ HOME=$folder TMPDIR=$folder; export HOME TMPDIR; exec "$@" 3<&-; } &
program=$!
{
  read -r _ <&3; chmod -R u+rwx "$folder"; rm -rf "$folder"
  for file in $(grep -lsF "HOME=$folder" /proc/[0-9]*/environ); do pid=\${file#/proc/}; kill -9 "\${pid%/environ}"; done
  kill -9 -$$
} >/dev/null 2>&1 &
exec 3<&-
wait "$program"`;

/** Variables by which a program finds its parts and the network. A connector gets no others of ours: they may hold secrets. */
// biome-ignore format: one per line would hide the code
const INHERITED = [
  'PATH', 'TZ', 'LANG', 'LC_ALL', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy',
  'SSL_CERT_FILE', 'SSL_CERT_DIR', 'REQUESTS_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS',
];

/** @throws JobError, or the reason of `stop` */
export async function runChild(command: Command, options: ChildOptions): Promise<ChildEnd> {
  options.stop.throwIfAborted();
  const folder = makeRunFolder();
  try {
    const at = (name: string): string => join(folder, name);
    for (const [name, text] of Object.entries(command.files)) put(at(name), text);
    return await follow(start(command.argv(at), folder), folder, options);
  } finally {
    removeFolder(folder);
  }
}

function put(file: string, text: string): void {
  try {
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw noRoom(error);
  }
}

/** Longest timer of Node. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

type Child = ChildProcessByStdio<null, Readable, Readable>;

function start(argv: readonly string[], folder: string): Child {
  const inherited = INHERITED.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return spawn('/bin/sh', ['-c', LEASH, 'leash', folder, ...argv], {
    cwd: folder,
    detached: true,
    env: { LANG: 'C.UTF-8', ...Object.fromEntries(inherited) },
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  }) as Child;
}

async function follow(
  child: Child,
  folder: string,
  { silenceMs, stop, onOutput, onError }: ChildOptions,
): Promise<ChildEnd> {
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const ended = Promise.withResolvers<never>();
  const silence = setTimeout(() => ended.reject(silent(silenceMs)), Math.min(silenceMs, LONGEST_TIMER_MS));
  const onStop = (): void => ended.reject(stop.reason);
  stop.addEventListener('abort', onStop, { once: true });
  const killGroup = groupKiller(child);
  const kill = (): void => {
    killGroup();
    killStragglers(folder);
  };
  const linger = createLinger(kill, ended.reject);
  child.once('exit', linger.begin);
  const work = (async () => {
    const heard = (chunks: Readable): AsyncIterable<Uint8Array> => noting(chunks, () => silence.refresh());
    const lines = (chunks: Readable) => linesOf(heard(chunks), { lastNeedsEnd: false });
    await Promise.all([
      forEach(lines(child.stdout), onOutput, linger.refresh).then(linger.outputEnded),
      forEach(lines(child.stderr), onError, linger.refresh),
    ]);
    const [code] = await exited;
    return { code: code ?? 1, isCut: linger.isCut() };
  })();
  try {
    return await Promise.race([work, ended.promise, exited.then(() => work)]);
  } finally {
    clearTimeout(silence);
    linger.end();
    stop.removeEventListener('abort', onStop);
    kill();
    (child.stdio as readonly unknown[] as readonly [null, Readable, Readable, Duplex])[3].destroy();
    child.stdout.destroy();
    child.stderr.destroy();
    // The first error of the two has been thrown.
    await Promise.allSettled([work, exited]);
  }
}

/** Once only: the shell that waits for the pipe is in the group, so until then the number belongs to it. */
function groupKiller({ pid }: Child): () => void {
  let isKilled = false;
  return () => {
    if (isKilled || pid === undefined) return;
    isKilled = true;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
}

async function* noting(chunks: Readable, onChunk: () => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks as AsyncIterable<Uint8Array>) {
    onChunk();
    yield chunk;
  }
}

async function forEach<T>(
  items: AsyncIterable<T>,
  take: (item: T) => void | Promise<void>,
  after: () => void,
): Promise<void> {
  for await (const item of items) {
    await take(item);
    after();
  }
}

function silent(silenceMs: number): JobError {
  return new JobError(
    'sourceTimeout',
    `the connector wrote nothing for ${Math.ceil(silenceMs / 1000)} s, so it was ended; find out what it waits for, or set a longer CONNECTOR_SILENCE`,
  );
}
