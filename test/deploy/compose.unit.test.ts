/** docker-compose.yml without Docker: its settings are known to the configuration. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { SECRET_SETTINGS } from '../../src/config/secret-files.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
type File = { services: Record<string, { environment?: Record<string, string> }> };

test('every setting of api and worker in docker-compose.yml is one that the configuration reads', () => {
  const text = readFileSync(path.join(ROOT, 'docker-compose.yml'), 'utf8');
  const { services } = parse(text, { merge: true }) as File;
  const config = readFileSync(path.join(ROOT, 'src/config/config.ts'), 'utf8');
  const known = ['KUBECONFIG', ...SECRET_SETTINGS.map((name) => `${name}_FILE`)]; // and the Kubernetes client
  for (const part of ['api', 'worker']) {
    const names = Object.keys(services[part]?.environment ?? {});
    expect(names).toContain('DATABASE_URL');
    const unknown = names.filter((name) => !known.includes(name) && !config.includes(`  ${name}:`));
    expect([part, unknown]).toEqual([part, []]);
  }
});
