/** Items whose files are in Git LFS: the repository holds a pointer. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { EXIT } from '../../../../src/domain/exit-code.ts';
import { answer } from '../../support/bend.ts';
import { type BankSetup, bankSetup } from '../../support/item-bank-setup.ts';

const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${'4d7a'.repeat(16)}\nsize 1234\n`;

/** @param object the answer to the call for the object itself */
async function withPointer(object: () => Response): Promise<BankSetup> {
  const t = await bankSetup();
  t.gitlab.bank.fill(3);
  t.gitlab.bank.commit(2, POINTER);
  t.gitlab.bend = ({ what, query }) => (what === 'raw' && query['lfs'] === 'true' ? object() : undefined);
  return t;
}

const itemOf2 = async (t: BankSetup): Promise<unknown> =>
  (await t.query<{ item: unknown }>(`SELECT record->'item' AS item FROM items WHERE id = '2'`))[0]?.item;

it('an item in Git LFS is imported from the object of its pointer', async () => {
  await using t = await withPointer(() => Response.json({ item: 2, of: 'LFS' }));
  expect((await t.run('sync')).code).toBe(EXIT.ok);
  expect(await itemOf2(t)).toEqual({ item: 2, of: 'LFS' });
  // Every other item is requested once.
  expect(t.gitlab.count('raw')).toBe(4);
});

it.each([
  ['its object is missing', () => answer(404), 'item.json, a pointer of Git LFS: answered 404'],
  [
    'its object is too large',
    () => new Response(`{"a":"${'x'.repeat(17 * 1024 * 1024)}"}`),
    'item.json, a pointer of Git LFS answers more than 16777216 bytes',
  ],
  [
    'GitLab is too old to give objects',
    () => new Response(POINTER),
    'item.json, a pointer of Git LFS: GitLab returns only the pointer; upgrade GitLab or store the item without Git LFS',
  ],
])(
  'an item in Git LFS fails with a clear reason when %s, and its stored revision stays',
  async (_, object, why) => {
    await using t = await withPointer(object);
    expect((await t.run('sync')).code).toBe(EXIT.itemsFailed);
    expect(t.checkpoint()?.failed).toEqual([{ id: '2', why }]);
    expect(Object.keys((await t.stored()) ?? {})).toEqual(['1', '3']);
  },
);

it('an item in Git LFS is read from the redirect target without sending the token', async () => {
  const shown: (string | string[] | undefined)[] = [];
  const store = createServer((request, response) => {
    shown.push(request.headers['private-token']);
    response.end('{"item":2,"of":"the store"}');
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void store.close());
  await once(store, 'listening');
  const location = `http://127.0.0.1:${(store.address() as AddressInfo).port}/object?signature=secret`;
  await using t = await withPointer(() => new Response(null, { status: 302, headers: { location } }));
  expect((await t.run('sync')).code).toBe(EXIT.ok);
  expect(await itemOf2(t)).toEqual({ item: 2, of: 'the store' });
  expect(shown).toEqual([undefined]);
});
