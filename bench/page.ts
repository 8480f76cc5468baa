/**
 * Measures the page in a real Chromium on a real api with 100,000 jobs: the time of its first load, beside a bare
 * page of as many bytes; and how smoothly its long lists scroll, beside an empty page.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import type { Browser, Page } from 'playwright-core';
import { signIn, startChromium } from '../test/support/chromium.ts';
import { type Figure, percentile } from './figure.ts';
import { fillJobs, KEYS } from './many-jobs.ts';
import { type Api, startRig } from './rig.ts';

export const group = 'page';

const JOBS = 100_000;
const LINES = 100_000;
const SCROLL_MS = 3_000;
/** Pause between two turns of the wheel, and the distance of each. */
const TURN_MS = 16;
const TURN_PX = 200;
const LATE_FRAME_MS = 50;
const VIEWPORT = { width: 1280, height: 900 };

/** The targets on the overview, each with its jobs. */
const SHOWN = KEYS.targets
  .slice(0, 10)
  .flatMap((target) => KEYS.envs.slice(0, 3).map((env) => ({ target, env, action: 'sync', options: '' })));

export async function run(options: { once: boolean }): Promise<Figure[]> {
  await using rig = await startRig({ params: SHOWN, durable: true });
  const longLog = await fill(rig.databaseUrl);
  const api = await rig.startApi();
  const browser = await startChromium();
  try {
    return [
      ...(await load(browser, api, options.once ? 3 : 15)),
      ...(await scroll(browser, api, { longLog, rounds: options.once ? 1 : 5 })),
    ];
  } finally {
    await browser.close();
  }
}

/** @returns the id of the job with the long log */
async function fill(connectionString: string): Promise<number> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await fillJobs(client, JOBS, (filled) => console.error(`page: ${filled} of ${JOBS} jobs`));
    const { rows } = await client.query<{ id: number }>('SELECT max(id)::int AS id FROM jobs');
    const id = rows[0]?.id ?? 0;
    const chunk = 1_000;
    for (let line = 0, offset = 0; line < LINES; line += chunk) {
      const text = Array.from({ length: chunk }, (_, n) => `line ${line + n + 1} of a long log\n`).join('');
      await client.query(
        `INSERT INTO step_logs (job_id, step, attempt, byte_offset, byte_length, text) VALUES ($1, 0, 1, $2, $3, $4)`,
        [id, offset, text.length, text],
      );
      offset += text.length;
    }
    return id;
  } finally {
    await client.end();
  }
}

/** Notes when the heading and the first target appear in the document, in milliseconds since the navigation. */
const NOTE_SHOWN = `
  globalThis.shown = {};
  new MutationObserver(() => {
    if (document.querySelector('h1')?.textContent === 'Overview') shown.heading ??= performance.now();
    if (document.querySelector('main tbody th')) shown.targets ??= performance.now();
  }).observe(document, { subtree: true, childList: true });`;

type Shown = { readonly heading: number; readonly targets: number };

async function load(browser: Browser, api: Api, loads: number): Promise<Figure[]> {
  const first = await firstLoad(browser, api); // the api has read and compressed its files after this load
  await using bare = await startBare(first.files.wire);
  const session = { username: 'admin', token: api.token, renewAt: Date.now() + 600_000 };
  const signedIn = [{ name: 'syncrator.session', value: JSON.stringify(session) }];
  const times = { ours: new Array<Shown>(), raw: new Array<Shown>() };
  for (let n = 0; n < loads; n++) {
    times.raw.push(await timedLoad(browser, bare.url, []));
    times.ours.push(await timedLoad(browser, api.url, signedIn));
  }
  const time = (to: keyof Shown, what: string): Figure => ({
    bench: `page: first load, navigation to ${what} (raw: a bare page of as many bytes)`,
    unit: 'ms',
    ours: times.ours.map((shown) => Math.round(shown[to])),
    raw: times.raw.map((shown) => Math.round(shown[to])),
    bound: 'ours < 1000 ms',
  });
  const size = (what: string, { wire, plain }: Bytes, most: number): Figure => ({
    bench: `page: first load, over the sign-in to the overview: ${what} (raw: uncompressed)`,
    unit: 'KB',
    ours: [wire / 1_000],
    raw: [plain / 1_000],
    bound: `ours <= ${most} KB`,
  });
  return [
    size('its files', first.files, 250),
    size(`what it asks of the api for ${SHOWN.length} targets in their environments`, first.data, 100),
    time('heading', "the overview's heading"),
    time('targets', 'its targets'),
  ];
}

type Bytes = { wire: number; plain: number };

/** Bytes over the wire with headers, and their size without compression, until a new visitor sees the targets. */
async function firstLoad(browser: Browser, api: Api): Promise<{ files: Bytes; data: Bytes }> {
  const context = await browser.newContext({ viewport: VIEWPORT });
  const page = await context.newPage();
  const network = await context.newCDPSession(page);
  const [files, data] = [
    { wire: 0, plain: 0 },
    { wire: 0, plain: 0 },
  ];
  const asked = new Set<string>();
  const kind = (request: string) => (asked.has(request) ? data : files);
  network.on('Network.requestWillBeSent', ({ requestId, type }) => type === 'Fetch' && asked.add(requestId));
  network.on('Network.loadingFinished', (one) => (kind(one.requestId).wire += one.encodedDataLength));
  network.on('Network.dataReceived', (one) => (kind(one.requestId).plain += one.dataLength));
  await network.send('Network.enable');
  await page.goto(api.url);
  await signIn(page);
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  await page.getByRole('rowheader').first().waitFor();
  await context.close();
  return { files, data };
}

/** A new context: its cache is empty. */
async function timedLoad(
  browser: Browser,
  url: string,
  localStorage: { name: string; value: string }[],
): Promise<Shown> {
  const storageState = { cookies: [], origins: [{ origin: url, localStorage }] };
  const context = await browser.newContext({ viewport: VIEWPORT, storageState });
  const page = await context.newPage();
  await page.addInitScript(NOTE_SHOWN);
  await page.goto(url);
  await page.getByRole('rowheader').first().waitFor();
  const shown = await page.evaluate<Shown>('shown');
  await context.close();
  return shown;
}

/** One script, mostly an incompressible comment, writes the text that the measurement waits for. */
async function startBare(size: number) {
  const bulk = `// ${randomBytes(size).toString('base64').slice(0, size)}\n`;
  const markup =
    '<main><h1>Overview</h1><table><tbody><tr><th scope="row">one</th></tr></tbody></table></main>';
  const server = http.createServer((request, response) => {
    const isScript = request.url === '/bulk.js';
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
    response.end(
      isScript
        ? `${bulk}document.body.innerHTML = '${markup}';`
        : '<!doctype html><body><script src="/bulk.js"></script>',
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function scroll(
  browser: Browser,
  api: Api,
  { longLog, rounds }: { longLog: number; rounds: number },
): Promise<Figure[]> {
  const context = await browser.newContext({ viewport: VIEWPORT });
  const [page, empty] = [await context.newPage(), await context.newPage()];
  await page.goto(api.url);
  await signIn(page);
  const views = [
    {
      name: `${JOBS} jobs`,
      open: async () => {
        await page.goto(`${api.url}/#/jobs`);
        await page.getByText('jobs so far').waitFor();
      },
      box: '[role="table"][aria-label="Jobs"]',
      turn: TURN_PX,
    },
    {
      name: `a log of ${LINES} lines`,
      open: async () => {
        await page.goto(`${api.url}/#/jobs/${longLog}`);
        await page.getByText(`${LINES.toLocaleString('en')} lines`).waitFor();
        await page.getByText(`line ${LINES} of`).waitFor();
      },
      box: '[role="log"]',
      turn: -TURN_PX, // the log opens at its end
    },
  ];
  const figures: Figure[] = [];
  for (const { name, open, box, turn } of views) {
    const ours: number[][] = [];
    const raw: number[][] = [];
    for (let round = 0; round < rounds; round++) {
      await empty.bringToFront();
      raw.push(await frames(empty, 'html', turn));
      await page.bringToFront();
      await page.goto(`${api.url}/#/maintenance`); // else the list would stay where it was left
      await page.getByRole('heading', { level: 1, name: 'Maintenance' }).waitFor();
      await open();
      const from = await page.evaluate<number>(`document.querySelector('${box}').scrollTop`);
      ours.push(await frames(page, box, turn));
      const moved = (await page.evaluate<number>(`document.querySelector('${box}').scrollTop`)) - from;
      if (Math.abs(moved) < 10 * TURN_PX) throw new Error(`${name} scrolled by ${moved} pixels only`);
      console.error(`page: ${name} scrolled by ${moved} pixels`);
    }
    const late = (rows: number[][]) => rows.map((row) => row.filter((ms) => ms > LATE_FRAME_MS).length);
    const p95 = (rows: number[][]) => rows.map((row) => Math.round(percentile(row, 95) * 10) / 10);
    const of = `page: scrolling ${name} for ${SCROLL_MS / 1_000} s`;
    figures.push(
      {
        bench: `${of}, p95 of its frames (raw: an empty page)`,
        unit: 'ms',
        ours: p95(ours),
        raw: p95(raw),
        bound: `ours <= ${LATE_FRAME_MS} ms`,
      },
      {
        bench: `${of}, frames over ${LATE_FRAME_MS} ms (raw: an empty page)`,
        unit: 'frames',
        ours: late(ours),
        raw: late(raw),
        bound: 'ours <= 3 frames',
      },
    );
  }
  await context.close();
  return figures;
}

/** How long each frame took while the wheel turned over an element. */
async function frames(page: Page, over: string, turn: number): Promise<number[]> {
  await page.locator(over).scrollIntoViewIfNeeded();
  const box = await page.locator(over).boundingBox();
  if (!box) throw new Error(`${over} is not visible`);
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.evaluate(`
    globalThis.frames = [];
    globalThis.isScrolling = true;
    let last;
    const frame = (at) => {
      if (last !== undefined) globalThis.frames.push(at - last);
      last = at;
      if (globalThis.isScrolling) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);`);
  for (const end = performance.now() + SCROLL_MS; performance.now() < end; await wait(TURN_MS))
    await page.mouse.wheel(0, turn);
  return await page.evaluate<number[]>('globalThis.isScrolling = false; globalThis.frames');
}
