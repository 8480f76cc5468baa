/** With LOCAL_LOGIN=false the page offers no sign-in, and says why. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { params } from '../support/system.ts';
import { startWeb, type Web } from './support.ts';

const closed = {
  OIDC_ISSUER: 'https://login.example.org/realms/data',
  OIDC_AUDIENCE: 'syncrator',
  LOCAL_LOGIN: 'false',
};
let web: Web;
beforeAll(async () => {
  web = await startWeb({ params: [params('quick', 'sync', '--mute')] });
}, 90_000);
afterAll(() => web[Symbol.asyncDispose]());

test.each([
  ['reads need a token', 'false'],
  ['reads are public', 'true'],
])('the page has no sign-in form and no sign-in button: %s', async (_, reads) => {
  await web.system.endParts('server.ts');
  await web.system.startApi({ ...closed, PUBLIC_READS: reads });
  const { page, complaints } = await web.open({ signedIn: false });
  if (reads === 'true') await page.getByRole('rowheader', { name: 'quick' }).waitFor();
  else {
    await page.getByText('LOCAL_LOGIN=false').waitFor();
    expect(await page.getByText('quick').count()).toBe(0);
  }
  expect(await page.getByLabel('Username').count()).toBe(0);
  expect(await page.getByRole('button', { name: 'Sign in' }).count()).toBe(0);
  expect(complaints).toEqual([]);
  await page.context().close();
});
