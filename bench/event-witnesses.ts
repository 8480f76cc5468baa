/** The witnesses of reports: 100 listeners over HTTP, the page in a Chromium, the command line. Each notes the times. */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { addServiceToken } from '../src/db/access/service-tokens.ts';
import { unlimited } from '../src/domain/permission.ts';
import { makeServiceToken } from '../src/auth/service-token.ts';
import { signIn, startChromium } from '../test/support/chromium.ts';
import type { Heard } from './event-lag.ts';
import { type Api, type Rig, ROOT } from './rig.ts';

export type Witness = AsyncDisposable & {
  /** The events that each witness has heard, in order. */
  heard(): Promise<Heard[][]>;
};

/** Runs in a separate process, so that it does not delay the measured ones. */
export async function startListeners(rig: Rig, api: Api, count: number): Promise<Witness> {
  const program = path.join(import.meta.dirname, 'event-listeners.ts');
  // One caller may open at most 50 streams.
  const callers = Array.from({ length: Math.ceil(count / 50) }, (_, n) => callerOf(rig, `listeners-${n}`));
  const child = fork(program, [api.url, (await Promise.all(callers)).join(','), String(count)]);
  const exited = once(child, 'exit');
  await Promise.race([
    once(child, 'message'),
    exited.then(() => Promise.reject(new Error('the listeners ended before they were subscribed'))),
  ]);
  return {
    async heard() {
      const answered = once(child, 'message');
      child.send('tell');
      const [{ heard }] = (await answered) as [{ heard: Heard[][] }];
      return heard;
    },
    async [Symbol.asyncDispose]() {
      child.kill();
      await exited;
    },
  };
}

async function callerOf({ db }: Rig, name: string): Promise<string> {
  const { token, ...made } = makeServiceToken();
  const grant = unlimited('viewer');
  await addServiceToken(db, { ...made, name, grant, seconds: 3_600 }, { principal: 'bench' });
  return token;
}

/** Opens the overview, which shows every running job; the page itself notes each change of its document. */
export async function startPage(api: Api): Promise<Witness> {
  const browser = await startChromium();
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  await page.goto(api.url);
  await signIn(page);
  await page.getByText('Live', { exact: true }).waitFor();
  await page.getByRole('progressbar').first().waitFor();
  await page.evaluate(NOTE);
  return {
    heard: async () => [await page.evaluate<Heard[]>('globalThis.heard')],
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

/** The page shows progress as `12 of 1,000 records`, beside a bar with the job's name. */
const NOTE = `(() => {
  globalThis.heard = [];
  const shown = new Map();
  new MutationObserver(() => {
    const at = Date.now();
    for (const bar of document.querySelectorAll('[aria-label^="Progress of job "]')) {
      const told = /^([\\d,]+) of/.exec(bar.parentElement.nextElementSibling?.textContent ?? '');
      const job = Number(bar.getAttribute('aria-label').slice('Progress of job '.length));
      const done = Number(told?.[1].replaceAll(',', ''));
      if (!(done > (shown.get(job) ?? 0))) continue;
      shown.set(job, done);
      globalThis.heard.push({ job, done, at });
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
})()`;

/** Runs `syncrator jobs watch` for one job on a terminal, where it draws each change. */
export async function startCommandLine(api: Api, job: number): Promise<Witness> {
  const words = [process.execPath, path.join(ROOT, 'src/cli/main.ts'), 'jobs', 'watch', String(job)];
  const child = spawn('script', ['-qec', words.join(' '), '/dev/null'], {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: '/nonexistent',
      SYNCRATOR_URL: api.url,
      SYNCRATOR_TOKEN: api.token,
    },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = once(child, 'exit');
  const heard: Heard[] = [];
  child.stdout.on('data', (text: Buffer) => {
    const at = Date.now();
    for (const [, done = ''] of text.toString().matchAll(/([\d,]+) of [\d,]+/g))
      heard.push({ job, done: Number(done.replaceAll(',', '')), at });
  });
  await Promise.race([
    once(child.stdout, 'data'),
    exited.then(() => Promise.reject(new Error('the command line ended before it showed the job'))),
  ]);
  return {
    heard: () => Promise.resolve([heard]),
    async [Symbol.asyncDispose]() {
      child.kill();
      await exited;
    },
  };
}
