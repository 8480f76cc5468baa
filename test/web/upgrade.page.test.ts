/** The page during and after an upgrade of the server: never blank, and open tabs keep working. */
import { readdirSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signIn } from '../support/chromium.ts';
import { params } from '../support/system.ts';
import { startWeb, type Web } from './support.ts';

const ASSETS = readdirSync(path.resolve('dist/web/assets'));

let web: Web;
let balancer: Balancer;
beforeAll(async () => {
  web = await startWeb({ params: [params('quick', 'sync', '--mute')] });
  await web.started('/sync/quick/dev', 'completed');
  balancer = await startBalancer(web.system.apiUrl);
}, 90_000);
afterAll(async () => {
  balancer.close();
  await web[Symbol.asyncDispose]();
});

type Balancer = {
  readonly url: string;
  /** Whether requests alternate between the two versions. */
  alternates: boolean;
  /** Assets that neither version has. */
  lacks: (name: string) => boolean;
  close(): void;
};

/** Proxy that looks like two pods of two versions behind a service: the second one's asset names differ. */
async function startBalancer(api: string): Promise<Balancer> {
  let count = 0;
  const server = http.createServer((request, response) => {
    count += 1;
    const isSecond = of.alternates && count % 2 === 0;
    const asked = /^\/assets\/(.*)/.exec(request.url ?? '')?.[1];
    if (asked === undefined && request.url !== '/') {
      const { method, headers } = request;
      const on = http.request(api + request.url, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      });
      response.once('close', () => on.destroy());
      on.once('error', () => response.destroy());
      return request.pipe(on);
    }
    void answerPage(api, { asked, isSecond, lacks: of.lacks }, response).catch(() => response.destroy());
  });
  const of: Balancer = {
    url: '',
    alternates: false,
    lacks: () => false,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(of, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

async function answerPage(
  api: string,
  {
    asked,
    isSecond,
    lacks,
  }: { asked: string | undefined; isSecond: boolean; lacks: (name: string) => boolean },
  response: http.ServerResponse,
): Promise<void> {
  const name = isSecond ? asked?.replace(/^second-/, '') : asked;
  if (asked !== undefined && (lacks(asked) || asked.startsWith('second-') !== isSecond)) {
    response.writeHead(404).end();
    return;
  }
  const answer = await fetch(name === undefined ? `${api}/` : `${api}/assets/${name}`);
  const rename = (text: string) =>
    ASSETS.reduce((all, asset) => all.replaceAll(asset, `second-${asset}`), text);
  const text = await answer.text();
  const headers = Object.fromEntries(
    ['content-type', 'cache-control', 'content-security-policy'].flatMap((header) => {
      const value = answer.headers.get(header);
      return value === null ? [] : [[header, value]];
    }),
  );
  response.writeHead(answer.status, headers).end(isSecond ? rename(text) : text);
}

async function tab(): Promise<Page> {
  const page = await (await web.browser.newContext()).newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(balancer.url);
  await signIn(page);
  return page;
}

/** Waits until the tab has preloaded every view. */
async function atRest(page: Page): Promise<void> {
  const marks = () => page.evaluate<number>(`performance.getEntriesByName('all views are kept').length`);
  await expect.poll(marks, { timeout: 20_000 }).toBe(1);
}

test('with two versions behind one address, every load shows the page and every view opens', {
  timeout: 180_000,
}, async () => {
  balancer.alternates = true;
  for (let load = 0; load < 5; load += 1) {
    const page = await tab();
    await page.getByRole('rowheader', { name: 'quick' }).waitFor();
    await page.goto(`${balancer.url}/#/jobs/1`);
    await page.getByRole('heading', { level: 1, name: /^Job 1:/ }).waitFor();
    expect(await page.getByText('Something went wrong').count()).toBe(0);
    await page.context().close();
  }
  balancer.alternates = false;
});

test('an open tab can show every view although the server has lost its assets', {
  timeout: 90_000,
}, async () => {
  const page = await tab();
  await atRest(page);
  balancer.lacks = () => true;
  await page.goto(`${balancer.url}/#/jobs/1`);
  await page.getByRole('heading', { level: 1, name: /^Job 1:/ }).waitFor();
  await page.getByRole('heading', { name: 'Records over time' }).waitFor();
  await expect.poll(() => page.getByText('cannot be loaded').count()).toBe(0);
  await page.goto(`${balancer.url}/#/schedules`);
  await page.getByRole('heading', { level: 1, name: 'Schedules' }).waitFor();
  balancer.lacks = () => false;
  await page.context().close();
});

test('a job page shows without its chart if the chart cannot be loaded', { timeout: 90_000 }, async () => {
  balancer.lacks = (name) => name.startsWith('progress-chart');
  const page = await tab();
  await page.goto(`${balancer.url}/#/jobs/1`);
  await page.getByRole('heading', { level: 1, name: /^Job 1:/ }).waitFor();
  await page.getByText('The chart cannot be loaded').waitFor();
  balancer.lacks = () => false;
  await page.getByRole('button', { name: 'Reload' }).click();
  await page.getByText('The chart cannot be loaded').waitFor({ state: 'detached' });
  await page.getByRole('heading', { level: 1, name: /^Job 1:/ }).waitFor();
  await page.context().close();
});

test('a view that cannot be loaded shows an error with a reload button, inside the frame', {
  timeout: 90_000,
}, async () => {
  balancer.lacks = (name) => name.startsWith('schedules');
  const page = await tab();
  await page.getByRole('link', { name: 'Schedules' }).click();
  await page.getByRole('heading', { level: 1, name: 'This view failed' }).waitFor();
  await page.getByRole('link', { name: 'Overview' }).waitFor(); // the frame stays
  balancer.lacks = () => false;
  await page.getByRole('button', { name: 'Reload' }).click();
  await page.getByRole('heading', { level: 1, name: 'Schedules' }).waitFor();
  await page.context().close();
});
