/** The page renders a log as a terminal would: colours, a moving progress bar, links, long lines. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { paramsFile } from '../support/params-files.ts';
import { startWeb, type Web } from './support.ts';

const folder = mkdtempSync(path.join(os.tmpdir(), 'syncrator-log-'));
const go = path.join(folder, 'go');
const program = path.join(folder, 'colourful.sh');

let web: Web;
beforeAll(async () => {
  writeFileSync(
    program,
    String.raw`
printf 'a\r\n\033[32mok\033[0m and \033[1;31mbold\033[0m\n\033]8;;https://example.org/\033\\a link\033]8;;\033\\\n'
head -c 307200 /dev/zero | tr '\0' x; printf ' the end\n10%%\r20%%\r'
until [ -e ${go} ]; do sleep 0.1; done
printf '\033[2K100%%\nlast'
`,
  );
  web = await startWeb({
    params: [paramsFile({ target: 'colourful', action: 'sync', command: `sh ${program}` })],
  });
}, 90_000);
afterAll(async () => {
  await web[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test('a log shows colours, a moving progress bar, a link and a long line; line numbers and search match', {
  timeout: 90_000,
}, async () => {
  const id = await web.started('/sync/colourful/dev', 'running');
  const { page, complaints, go: to } = await web.open();
  await to(`/jobs/${id}`, `Job ${id}:`);
  const line = (number: number) => page.locator('.log-line').nth(number - 1);
  await expect.poll(() => line(5).textContent()).toBe('520%');
  expect(await page.locator('.log-line').count()).toBe(5);
  expect([await line(1).textContent(), await line(2).textContent(), await line(3).textContent()]).toEqual([
    '1a',
    '2ok and bold',
    '3a link',
  ]);
  expect(await page.locator('.log-color-3').textContent()).toBe('ok');
  expect(await page.locator('.log-color-2.log-bold').textContent()).toBe('bold');
  const search = page.getByLabel('Search the log');
  await search.fill('10%');
  await page.getByText('0 found', { exact: true }).waitFor();
  writeFileSync(go, '');
  await expect.poll(() => line(5).textContent()).toBe('5100%');
  await expect.poll(() => line(6).textContent()).toBe('6last');
  await search.fill('the end');
  await page.getByText('1 found', { exact: true }).waitFor();
  await page.locator('.log-line.is-marked').filter({ hasText: 'the end' }).waitFor();
  await search.fill('');
  if (process.env['SCREENSHOTS'] !== undefined) {
    for (const [name, width, scheme] of [
      ['wide', 1280, 'light'],
      ['dark', 1280, 'dark'],
      ['narrow', 380, 'light'],
    ] as const) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme: scheme });
      await page.getByRole('log').scrollIntoViewIfNeeded();
      await page.screenshot({ path: `${process.env['SCREENSHOTS']}/log-${name}.png` });
    }
  }
  expect(complaints).toEqual([]);
});
