/** Runs the page in a real Chromium against the real API and worker, and collects console and network errors. */
import type { Browser, Page } from 'playwright-core';
import { expect, vi } from 'vitest';
import { makeReportToken } from '../../src/auth/report-token.ts';
import { signIn, startChromium } from '../support/chromium.ts';
import { SECRET, startSystem, type System } from '../support/system.ts';

const WAIT_MS = 15_000;

export type View = {
  readonly page: Page;
  /** Console and network errors; empty for a sound page. */
  readonly complaints: string[];
  /** Opens a view by its address after the `#`, and waits for its heading. */
  go(to: string, heading: string | RegExp): Promise<void>;
};

export type Web = AsyncDisposable & {
  readonly system: System;
  readonly browser: Browser;
  /** Opens a new browser context, signed in as admin by default. */
  open(options?: OpenOptions): Promise<View>;
  /** Closes all views. Fails if one of them has complained. */
  closeViews(): Promise<void>;
  /** Starts a job over HTTP and waits until it runs. */
  running(target: string, action?: string): Promise<number>;
  /** Starts a job over HTTP and waits until it has a status; also outside of tests. */
  started(route: string, status: string): Promise<number>;
  /** Sends a report in the name of a job's first step. */
  report(id: number, body: object): Promise<void>;
};

export type OpenOptions = {
  readonly signedIn?: boolean;
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
  /** HTTP statuses that the test provokes; Chromium logs them as errors. */
  readonly expected?: readonly number[];
};

export async function startWeb(options: Parameters<typeof startSystem>[0]): Promise<Web> {
  const browser = await startChromium();
  const system = await startSystem(options);
  await Promise.all([system.startApi(), system.startWorker()]);
  const sequence = new Map<number, number>();
  const views: View[] = [];
  const started = async (route: string, status: string) => {
    const { body } = await system.call('POST', route);
    const id = Number(body['job_id']);
    await vi.waitUntil(async () => (await system.job(id)).status === status, { timeout: 30_000 });
    return id;
  };
  return {
    system,
    browser,
    async open(of = {}) {
      const view = await openView(browser, system, of);
      views.push(view);
      return view;
    },
    async closeViews() {
      const complaints = views.flatMap((view) => view.complaints);
      for (const { page } of views.splice(0)) await page.context().close();
      expect(complaints).toEqual([]);
    },
    started,
    running: (target, action = 'sync') => started(`/${action}/${target}/dev`, 'running'),
    async report(id, body) {
      const { uid } = await system.job(id);
      const seq = (sequence.get(id) ?? 0) + 1;
      sequence.set(id, seq);
      const answer = await fetch(`${system.apiUrl}/jobs/${id}/report`, {
        method: 'PUT',
        headers: {
          'content-type': 'application/json',
          authorization: `Bearer ${makeReportToken([SECRET], { uid, step: 0, attempt: 1 })}`,
        },
        body: JSON.stringify({ seq, phase: 'load', ...body }),
        signal: AbortSignal.timeout(WAIT_MS),
      });
      expect([answer.status, await answer.text()].join(' ')).toMatch(/^20\d/);
    },
    async [Symbol.asyncDispose]() {
      await browser.close();
      await system[Symbol.asyncDispose]();
    },
  };
}

async function openView(browser: Browser, system: System, options: OpenOptions): Promise<View> {
  const { width = 1280, height = 900, dark = false, signedIn = true, expected = [] } = options;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(WAIT_MS);
  const complaints: string[] = [];
  page.on('console', (message) => {
    const isExpected = expected.some((status) => message.text().includes(`status of ${status}`));
    if (message.type() === 'error' && !isExpected)
      complaints.push(`${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== system.apiUrl && protocol !== 'data:') complaints.push(`asked ${request.url()}`);
  });
  await page.goto(system.apiUrl);
  if (signedIn) await signIn(page);
  const go: View['go'] = async (to, heading) => {
    await page.goto(`${system.apiUrl}/#${to}`);
    await page.getByRole('heading', { level: 1, name: heading }).waitFor();
  };
  return { page, complaints, go };
}
