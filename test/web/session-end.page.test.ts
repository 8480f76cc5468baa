/** A session that ended elsewhere: the page shows the sign-in form and the reason. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashPassword } from '../../src/api/auth/passwords.ts';
import { changeUser } from '../../src/db/access/users.ts';
import { ADMIN_PASSWORD } from '../support/login.ts';
import { signIn } from '../support/chromium.ts';
import { params } from '../support/system.ts';
import { startWeb, type Web } from './support.ts';

let web: Web;
beforeAll(async () => {
  web = await startWeb({ params: [params('quick', 'sync', '--mute')] });
}, 90_000);
afterAll(() => web[Symbol.asyncDispose]());

test('a password change ends the session in every tab, and a wrong password shows an error', async () => {
  const { page, complaints, go } = await web.open({ expected: [401] });
  await page.getByRole('rowheader', { name: 'quick' }).waitFor();
  const other = await page.context().newPage();
  await other.goto(web.system.apiUrl);
  await other.getByRole('rowheader', { name: 'quick' }).waitFor();
  const change = { passwordHash: await hashPassword(ADMIN_PASSWORD) };
  await changeUser(web.system.db, 'admin', change, { principal: 'test' });
  await page.getByRole('link', { name: 'Maintenance' }).click();
  for (const tab of [page, other]) {
    await tab.getByText('The server says: the password has been changed since this login').waitFor();
    await tab.getByLabel('Username').waitFor();
    expect(await tab.evaluate("localStorage.getItem('syncrator.session')")).toBeNull();
  }
  await page.getByLabel('Username').fill('admin');
  await page.getByRole('textbox', { name: 'Password' }).fill('not the password');
  await page.getByRole('main').getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('wrong username or password').waitFor();
  await signIn(page);
  await go('/', 'Overview');
  expect(await page.getByText('You have been signed out').count()).toBe(0);
  // A deliberate sign-out shows no notice.
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Username').waitFor();
  expect(await page.getByText('You have been signed out').count()).toBe(0);
  expect(complaints).toEqual([]);
});
