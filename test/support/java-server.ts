/** Starts a server of the tests that is written in Java, which prints `ready <address>`, and stops it by its own pid. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { java } from './java-program.ts';

const READY_WITHIN_MS = 90_000;

export type JavaServer = { readonly url: string; stop(): Promise<void> };

/** @param of.main its class; gets a folder of its own as first argument, which is removed at the end */
export async function startJavaServer(of: {
  name: string;
  classPath: string;
  main: string;
  arguments?: readonly string[];
}): Promise<JavaServer> {
  const folder = mkdtempSync(path.join(os.tmpdir(), `syncrator-${of.name.toLowerCase()}-`));
  const quick = ['-Xmx512m', '-XX:TieredStopAtLevel=1', `-Djava.io.tmpdir=${folder}`];
  const line = [...quick, '-cp', of.classPath, of.main, folder, ...(of.arguments ?? [])];
  const child = spawn(java(), line, { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  const exited = once(child, 'exit');
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true, force: true });
  };
  const ready = new Promise<string>((resolve) => {
    const keep = (bytes: Buffer) => {
      output = (output + bytes.toString()).slice(-20_000);
      const url = /^ready (\S+)$/m.exec(output)?.[1];
      if (url !== undefined) resolve(`${url}/`);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
  });
  const late = AbortSignal.timeout(READY_WITHIN_MS);
  const never = once(late, 'abort').then(() => 'was not ready in time');
  const first = await Promise.race([
    ready,
    Promise.race([exited.then(() => 'ended'), never]).then((why) => ({ why })),
  ]);
  if (typeof first === 'object') {
    await stop();
    throw new Error(`${of.name} ${first.why}:\n${output.slice(-3_000)}`);
  }
  return { url: first, stop };
}
