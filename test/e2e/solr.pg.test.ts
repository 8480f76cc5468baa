/** A catalogue in a real Solr, maintained by the whole product as `npm start` runs it. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FakeSource, someRows, startFakeSource } from '../job/support/fake-source.ts';
import { namesOf } from '../job/support/setup.ts';
import { type Product, startProduct } from '../support/product.ts';
import { type Solr, startSolr } from '../support/solr/solr.ts';

const APP = 'cataloguspro';
const dataDir = mkdtempSync(path.join(os.tmpdir(), 'syncrator-e2e-solr-'));
let solr: Solr;
let source: FakeSource;
let product: Product;

beforeAll(async () => {
  [solr, source] = await Promise.all([startSolr(), startFakeSource()]);
  for (const place of ['a', 'b']) await solr.createCollection(`${APP}_${place}`);
  await solr.alias(APP, `${APP}_a`);
  await solr.alias(`${APP}-standby`, `${APP}_b`);
  mkdirSync(path.join(dataDir, 'envtarget'));
  const settings = { SOURCE: 'ndjson', SOURCE_URL: source.url, SINK: 'solr', SOLR_URL: solr.url };
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
  writeFileSync(path.join(dataDir, 'envtarget', `qas-${APP}.env`), lines.join(''), { mode: 0o600 });
  product = await startProduct(dataDir, {});
}, 180_000);
afterAll(async () => {
  await product?.stop();
  await source?.close();
  await solr?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

async function live(): Promise<Record<string, string>> {
  const found = await solr.documents(APP);
  return Object.fromEntries(found.map(({ id, name }) => [id, String(name)]));
}

test('the dry run shows which aliases will be switched', async () => {
  const { body } = await product.call('GET', `/sync/${APP}/qas`);
  const flags = `-n 1000 -c 4 --switch_solr_alias --target_env qas --target ${APP} --api_job_id dryrun`;
  expect(body).toMatchObject({ OPTIONS: flags, job_id: 'dryrun' });
  expect(JSON.stringify(body['result'])).toContain(
    `"--switch_solr_alias","--target_env","qas","--target","${APP}"`,
  );
});

test('sync, diff, another sync and a rollback take one call each', { timeout: 120_000 }, async () => {
  source.put(...someRows(50));
  expect(await product.run(`/sync/${APP}/qas`)).toMatchObject({
    status: 'completed',
    progress: { records_done: 50, added: 50 },
    sync_job: { target_datastore_url: solr.url },
  });
  expect(await live()).toEqual(namesOf(source.rows.values()));
  expect(await solr.aliases()).toMatchObject({ [APP]: `${APP}_b`, [`${APP}-standby`]: `${APP}_a` });

  source.put({ id: 'r00001', updated_at: new Date().toISOString(), name: 'changed' });
  source.rows.delete('r00050');
  expect(await product.run(`/diff/${APP}/qas`)).toMatchObject({
    status: 'completed',
    progress: { updated: 1, deleted: 1 },
  });
  expect(await live()).toEqual(namesOf(source.rows.values()));
  const first = await live();

  source.put({ id: 'new', updated_at: new Date().toISOString(), name: 'new' });
  expect((await product.run(`/sync/${APP}/qas`)).status).toBe('completed');
  expect(await live()).toEqual(namesOf(source.rows.values()));

  expect((await product.run(`/rollback/${APP}/qas`)).status).toBe('completed');
  expect(await live()).toEqual(first);
  expect((await product.run(`/delta/${APP}/qas`)).status).toBe('completed');
  expect(await live()).toEqual(namesOf(source.rows.values()));
});

test('an empty source leaves the catalogue unchanged', { timeout: 60_000 }, async () => {
  const before = await live();
  source.rows.clear();
  expect(await product.run(`/sync/${APP}/qas`)).toMatchObject({
    status: 'failed',
    diagnosis: { code: 'delete_guard' },
  });
  expect(await live()).toEqual(before);
});
