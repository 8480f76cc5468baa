/**
 * `npm run compose`: tests docker-compose.yml without an image registry: builds its images, runs `up --wait` in a separate
 * Docker engine, runs one job, and removes everything. Exists for machines that cannot reach a registry, such as the one this project is developed on.
 * Elsewhere use the normal way: `docker compose up --wait`. A composition root.
 */
import { randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '../../src/embedded/ports.ts';
import { buildImage } from '../image/build.ts';
import { checkEngineNeeds, startEngine } from './engine.ts';
import { composePrograms } from './programs.ts';
import { makeStandIns } from './stand-ins.ts';
import { tryIt } from './smoke-test.ts';

const PROJECT = path.resolve(import.meta.dirname, '../..');
const UP_SECONDS = 300;
const began = Date.now();
const say = (line: string) =>
  console.log(`[${((Date.now() - began) / 1000).toFixed(1).padStart(5)} s] ${line}`);

/** Ctrl-C removes everything, as the normal end does. */
const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.on(name, () => stopping.abort(new Error(`ended by ${name}`)));
const { signal } = stopping;

try {
  checkEngineNeeds();
  const programs = await composePrograms(say);
  const dir = mkdtempSync(path.join(os.tmpdir(), 'compose-'));
  const undo = new AsyncDisposableStack();
  undo.defer(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }));
  try {
    const archives = path.join(dir, 'images');
    mkdirSync(archives);
    const ours = (name: string, stage?: string) =>
      buildImage({
        name: `${name}:latest`,
        archive: path.join(archives, `${name}.tar`),
        onProgress: say,
        signal,
        ...(stage === undefined ? {} : { stage }),
      });
    const { archive } = await ours('syncrator');
    const demo = await ours('syncrator-demo', 'demo');
    const others = await makeStandIns(programs, archives, say, signal);

    say('starting an engine');
    const engine = await startEngine(path.join(dir, 'e'));
    undo.defer(() => engine.stop());
    for (const one of [archive, demo.archive, ...others]) {
      signal.throwIfAborted();
      say(`loading ${path.basename(one)}`);
      await engine.load(one);
    }
    const password = writeSecrets(path.join(dir, 'secrets'));
    const ports = { api: await freePort(), ui: await freePort() };
    const compose = async (args: readonly string[], until?: AbortSignal) =>
      (
        await promisify(execFile)(programs.compose, args, {
          ...(until === undefined ? {} : { signal: until }),
          cwd: PROJECT,
          timeout: (UP_SECONDS + 60) * 1_000,
          maxBuffer: 16 * 1024 * 1024,
          env: {
            PATH: process.env['PATH'],
            HOME: dir,
            DOCKER_HOST: engine.host,
            COMPOSE_DISABLE_ENV_FILE: '1', // ignores the developer's .env
            SECRETS: path.join(dir, 'secrets'),
            PORT: String(ports.api),
            TEMPORAL_UI_PORT: String(ports.ui),
          },
        })
      ).stdout;
    undo.defer(async () => {
      say('docker compose down');
      await compose(['down', '--volumes', '--timeout', '10']);
    });
    say('docker compose up --wait');
    try {
      const waiting = ['--wait', '--wait-timeout', String(UP_SECONDS)];
      await compose(['up', ...waiting, '--pull', 'never', '--no-build'], signal);
    } catch (error) {
      signal.throwIfAborted();
      console.error(await compose(['ps', '--all']));
      console.error(await compose(['logs', '--no-color', '--tail', '30']));
      throw error;
    }
    say('all containers are healthy');
    console.log(await compose(['ps']));
    await tryIt({
      url: `http://127.0.0.1:${ports.api}`,
      ui: `http://127.0.0.1:${ports.ui}`,
      password,
      say,
      signal,
    });
  } finally {
    await undo.disposeAsync();
  }
  say('done');
} catch (error) {
  console.error(`compose: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

/** Writes secrets as docker-compose.yml describes. @returns the admin's password */
function writeSecrets(folder: string): string {
  mkdirSync(folder, { mode: 0o700 });
  const made = ['postgres_password', 'signing_secret', 'admin_password'].map((name) => {
    const secret = randomBytes(24).toString('hex');
    writeFileSync(path.join(folder, name), `${secret}\n`);
    return secret;
  });
  return made.at(-1) ?? '';
}
