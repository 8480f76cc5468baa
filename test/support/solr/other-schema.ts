/** Makes a collection whose schema has a field `title` instead of `name`. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import type { Solr } from './solr.ts';

const CONFIGSET = path.join(import.meta.dirname, 'configset');

export async function createOtherCollection(solr: Solr, name: string): Promise<void> {
  const configset = `${name}-schema`;
  for (const file of ['schema.xml', 'solrconfig.xml']) {
    const text = readFileSync(path.join(CONFIGSET, file), 'utf8').replace('name="name"', 'name="title"');
    await upload(solr, { configset, file, text });
  }
  const made = new URLSearchParams({
    action: 'CREATE',
    name,
    'collection.configName': configset,
    numShards: '1',
    waitForFinalState: 'true',
  });
  await solr.call(`admin/collections?${made.toString()}`);
}

async function upload(solr: Solr, of: { configset: string; file: string; text: string }): Promise<void> {
  const query = new URLSearchParams({
    action: 'UPLOAD',
    name: of.configset,
    filePath: of.file,
    overwrite: 'true',
  });
  const { status } = await fetch(`${solr.url}admin/configs?${query.toString()}`, {
    method: 'POST',
    body: of.text,
    headers: { 'content-type': 'application/octet-stream' },
    signal: AbortSignal.timeout(60_000),
  });
  expect(status).toBe(200);
}
