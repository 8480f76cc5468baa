/** docker-compose.yml as far as it can be judged without Docker: its settings are ones that the configuration knows. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { mallocSettings } from '../../src/embedded/malloc.ts';

const text = readFileSync(path.resolve(import.meta.dirname, '../../docker-compose.yml'), 'utf8');

test('every setting of api and worker in docker-compose.yml is one that config.ts reads', () => {
  const block = text.slice(text.indexOf('&settings'), text.indexOf('services:'));
  const names = [...block.matchAll(/^ {4}([A-Z_]+):/gm)].map(([, name]) => name ?? '');
  const source = readFileSync(path.resolve(import.meta.dirname, '../../src/config.ts'), 'utf8');
  const readByOthers = ['KUBECONFIG', ...Object.keys(mallocSettings())]; // the Kubernetes client, glibc
  const unknown = names.filter((name) => !readByOthers.includes(name) && !source.includes(`  ${name}:`));
  expect(names).toContain('DATABASE_URL');
  expect(unknown).toEqual([]);
});

test('the settings it gives are accepted', () => {
  const value = (name: string) => new RegExp(`^ {4}${name}: (.*)$`, 'm').exec(text)?.[1] ?? '';
  expect(() =>
    readConfig({
      DATABASE_URL: value('DATABASE_URL').replace(/\$\{[^}]*\}/g, 'password'),
      TEMPORAL_ADDRESS: value('TEMPORAL_ADDRESS'),
      SYNCRATOR_SECRET: 'x'.repeat(44),
      SYNCRATOR_DATA: value('SYNCRATOR_DATA'),
      HOST: value('HOST'),
    }),
  ).not.toThrow();
});
