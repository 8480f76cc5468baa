/** docker-compose.yml as Docker Compose itself reads it: valid, closed to other machines, and without secrets. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config/config.ts';
import { composeProgram } from '../../tools/compose/programs.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** Services that end by themselves. */
const ONCE = ['k3s-account'];

type Service = {
  readonly restart?: string;
  readonly healthcheck?: unknown;
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly { readonly host_ip?: string }[];
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
};

const home = mkdtempSync(path.join(os.tmpdir(), 'syncrator-compose-test-'));
let program: string;
beforeAll(async () => {
  program = await composeProgram((line) => console.log(`[compose] ${line}`));
}, 600_000);
afterAll(() => rmSync(home, { recursive: true, force: true }));

async function services(environment: Readonly<Record<string, string>>): Promise<Record<string, Service>> {
  const { stdout } = await promisify(execFile)(program, ['config', '--format', 'json'], {
    cwd: ROOT,
    timeout: 30_000,
    env: { PATH: process.env['PATH'], HOME: home, COMPOSE_DISABLE_ENV_FILE: '1', ...environment },
  });
  return (JSON.parse(stdout) as { services: Record<string, Service> }).services;
}

test('without settings, compose starts all parts except the cluster, which has a profile', async () => {
  const usual = ['api', 'demo', 'postgres', 'temporal', 'temporal-ui', 'worker'];
  expect(Object.keys(await services({})).toSorted()).toEqual(usual);
  const more = Object.keys(await services({ COMPOSE_PROFILES: 'k3s' }));
  expect(more.toSorted()).toEqual([...usual, 'k3s', 'k3s-account'].toSorted());
});

describe('every service', () => {
  const all = async () => Object.entries(await services({ COMPOSE_PROFILES: 'k3s' }));

  test('every service is restarted, and has a health check', async () => {
    for (const [name, { restart, healthcheck }] of await all()) {
      if (ONCE.includes(name)) continue;
      expect([name, restart]).toEqual([name, 'unless-stopped']);
      if (name !== 'worker') expect(healthcheck, name).toBeDefined(); // the worker's is part of the image
    }
  });

  test('every service listens on this machine only', async () => {
    const ports = (await all()).flatMap(([, service]) => service.ports ?? []);
    expect(new Set(ports.map((port) => port.host_ip))).toEqual(new Set(['127.0.0.1']));
  });

  test('every service gets its secrets from files', async () => {
    for (const [name, { environment = {} }] of await all())
      for (const [variable, value] of Object.entries(environment))
        if (/PASSWORD|PWD|SECRET|TOKEN/.test(variable))
          expect([name, variable, value.startsWith('/run/secrets/')]).toEqual([name, variable, true]);
  });

  test('every service of the product has a read-only root and no capability', async () => {
    const found = await services({});
    for (const name of ['api', 'worker', 'demo'])
      expect(found[name], name).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
  });
});

test('api and worker accept their settings', async () => {
  const { api, worker } = await services({});
  for (const { environment = {} } of [api, worker].map((one) => one ?? {})) {
    const named = Object.entries(environment).filter(([name]) => !name.endsWith('_FILE'));
    const fromFiles = { SYNCRATOR_SECRET: 'x'.repeat(48) };
    expect(() => readConfig({ ...Object.fromEntries(named), ...fromFiles })).not.toThrow();
  }
});
