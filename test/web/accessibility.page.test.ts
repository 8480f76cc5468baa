/** axe-core finds no violation on any view, wide and narrow, light and dark; the keyboard alone can operate the page. */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { params } from '../support/system.ts';
import { DOUBTFUL_SYNC, heldSet, plannedSet, PREVIEW, writeTales } from '../support/tales.ts';
import { startWeb, type View, type Web } from './support.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

type Violation = {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
};

let web: Web;
const tales = writeTales();
const ids = { failed: 0, running: 0, waiting: 0, diff: 0, doubtful: 0, preview: 0, plan: 0 };

beforeAll(async () => {
  web = await startWeb({
    params: [
      params('broken', 'sync', '--exit 3'),
      params('long', 'sync', '--seconds 600'),
      params('later', 'sync', '--mute'),
      tales.params('cities', 'sync', 'EXIT_CODES=syncrator\n'),
      params('both', 'delta', '--progress 3'),
      params('both', 'delete', '--progress 3'),
      params('nightly', 'sync', '--mute', 'SCHEDULE=30 2 * * *\nTIMEZONE=Europe/Brussels\n'),
    ],
  });
  tales.tell('cities', {
    sync: {
      reports: DOUBTFUL_SYNC.reports.map((report) => ({ ...report, held: 60 })),
      held: heldSet(60, { live: 171_075 }),
    },
    preview: { reports: [{ phase: 'done', rollback_preview: PREVIEW }] },
    plan: { reports: [{ phase: 'done' }], plan: plannedSet({ added: 9, updated: 120, removed: 3, held: 2 }) },
  });
  ids.doubtful = await web.started('/sync/cities/dev', 'completed');
  await keepTwo();
  ids.preview = await previewed();
  ids.plan = await web.started('/plan/sync/cities/dev', 'completed');
  ids.running = await web.started('/sync/long/dev', 'running');
  ids.failed = await web.started('/sync/broken/dev', 'failed');
  const twoSteps = await web.system.submit('both', 'delta', 'delete');
  if (twoSteps.kind !== 'created') throw new Error(`not created: ${twoSteps.kind}`);
  ids.diff = twoSteps.job.id;
  await vi.waitUntil(async () => (await web.system.job(ids.diff)).status === 'completed', {
    timeout: 30_000,
  });
  // The server rejects it, as the job is not cancelling; the audit shows the rejection.
  await web.system.call('POST', `/jobs/${ids.failed}/force-delete`);
  await web.system.call('POST', '/maintenance-status', { paused: true, msg: 'Solr upgrade' });
  ids.waiting = await web.started('/sync/later/dev', 'waiting');
}, 90_000);
afterAll(async () => {
  await web[Symbol.asyncDispose]();
  tales[Symbol.dispose]();
});

async function keepTwo(): Promise<void> {
  const { body } = await web.system.call('GET', '/losses');
  const [loss] = body as unknown as { id: number; digest: string }[];
  const keep = { digest: loss?.digest, reason: 'still in use', ids: ['k00001', 'k00002'] };
  expect((await web.system.call('POST', `/losses/${loss?.id}/keep`, keep)).status).toBe(200);
}

async function previewed(): Promise<number> {
  const { body } = await web.system.call('POST', '/rollback/cities/dev', { preview: true });
  const id = Number(body['job_id']);
  await vi.waitUntil(async () => (await web.system.job(id)).status === 'completed', { timeout: 30_000 });
  return id;
}

/** The dialog shows a preview that was made before: nothing starts while maintenance is on. */
async function showDialog({ go, page }: View): Promise<void> {
  await page.route(`**/rollback/cities/dev`, (route) =>
    route.fulfill({ status: 200, json: { job_id: ids.preview, deduplicated: true } }),
  );
  await go(`/jobs/${ids.doubtful}`, /^Job/);
  await page.getByRole('button', { name: 'Go back to before this job' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).waitFor();
}

/** Keeps two records, opens one, and chooses two others. */
async function showLoss({ go, page }: View): Promise<void> {
  await go('/losses', 'Losses');
  await page.getByRole('link', { name: 'cities in dev' }).click();
  await page.getByRole('row', { name: 'k00002 kept until' }).waitFor();
  const content = page.getByRole('button', { name: 'k00003' });
  await content.click();
  await page.getByRole('region', { name: 'Live content of k00003' }).waitFor();
  for (const id of ['k00004', 'k00005']) await page.getByLabel(`Choose ${id}`).check();
}

/** Its changed records, one of them open. */
async function showPlan({ go, page }: View): Promise<void> {
  await go(`/jobs/${ids.plan}`, /^Job/);
  await page.getByRole('tab', { name: 'Changed (120)' }).click();
  // The view may be open still.
  const content = page.getByRole('button', { name: 'k00003', expanded: false });
  if (await page.getByRole('region', { name: 'k00003 then' }).isHidden()) await content.click();
  await page.getByRole('region', { name: 'k00003 then' }).waitFor();
}

/** Opens each view, and waits until its content has loaded. */
const VIEWS: readonly (readonly [string, (view: View) => Promise<void>])[] = [
  [
    'overview',
    async ({ go, page }) => {
      await go('/', 'Overview');
      await page.getByText('never run').first().waitFor();
    },
  ],
  [
    'jobs',
    async ({ go, page }) => {
      await go('/jobs', 'Jobs');
      await page.getByText('7 jobs').waitFor();
    },
  ],
  [
    'a failed job',
    async ({ go, page }) => {
      await go(`/jobs/${ids.failed}`, /^Job/);
      await page.getByText('What to do:').waitFor();
    },
  ],
  [
    'a running job',
    async ({ go, page }) => {
      await go(`/jobs/${ids.running}`, /^Job/);
      await page.locator('.log-line').first().waitFor();
    },
  ],
  [
    'a job with two steps',
    async ({ go, page }) => {
      await go(`/jobs/${ids.diff}`, /^Job/);
      await page.locator('.uplot').waitFor();
      await page.getByText('As a table').click();
      await page.getByRole('button', { name: 'Arguments and environment' }).click();
      await page.getByRole('region', { name: 'Manifest' }).waitFor();
    },
  ],
  [
    'a job that is doubtful',
    async ({ go, page }) => {
      await go(`/jobs/${ids.doubtful}`, /^Job/);
      await page.getByText('2 warnings').waitFor();
      await page.getByRole('link', { name: '60 removals wait for an answer' }).waitFor();
    },
  ],
  [
    'losses',
    async ({ go, page }) => {
      await go('/losses', 'Losses');
      await page.getByRole('link', { name: 'cities in dev' }).waitFor();
    },
  ],
  ['a loss', showLoss],
  [
    'a question before records are kept',
    async (view) => {
      await showLoss(view);
      await view.page.getByRole('button', { name: 'Keep 2 chosen…' }).click();
      await view.page.getByRole('dialog').getByLabel('Reason').waitFor();
    },
  ],
  [
    'a preview of a rollback',
    async ({ go, page }) => {
      await go(`/jobs/${ids.preview}`, /^Job/);
      await page.getByText('1,120 change').waitFor();
    },
  ],
  ['a question before a rollback', showDialog],
  ['a plan', showPlan],
  [
    'a question before a plan is applied',
    async (view) => {
      await showPlan(view);
      await view.page.getByRole('button', { name: 'Apply…' }).click();
      await view.page.getByRole('dialog').getByText('120 records will be changed').waitFor();
    },
  ],
  [
    'a question before a cancel',
    async ({ go, page }) => {
      await go(`/jobs/${ids.waiting}`, /^Job/);
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByRole('button', { name: 'No, leave it' }).waitFor();
    },
  ],
  [
    'start',
    async ({ go, page }) => {
      await go('/start?target=both&env=dev&action=delta', 'Start a job');
      await page.getByText('Step 1: delta').waitFor();
    },
  ],
  [
    'schedules',
    async ({ go, page }) => {
      await go('/schedules', 'Schedules');
      await page.getByText(/^Next:/).waitFor();
    },
  ],
  [
    'maintenance',
    async ({ go, page }) => {
      await go('/maintenance', 'Maintenance');
      await page.getByRole('row', { name: /Solr upgrade/ }).waitFor();
    },
  ],
  [
    'audit',
    async ({ go, page }) => {
      await go('/audit', 'Audit');
      await page.getByRole('row', { name: /pause.*maintenance.*Solr upgrade/ }).waitFor();
      // Denied requests are marked.
      await page
        .getByRole('row', { name: /refused/ })
        .first()
        .waitFor();
    },
  ],
];

for (const width of [1280, 390])
  for (const dark of [false, true])
    test(`axe-core finds no violation at ${width} px, ${dark ? 'dark' : 'light'}`, async () => {
      const out = await web.open({ signedIn: false, width, dark });
      await out.page.getByLabel('Username').waitFor();
      const found = { 'sign in': await violations(out) };
      await out.page.context().close();
      const view = await web.open({ width, dark });
      for (const [name, show] of VIEWS) {
        await show(view);
        Object.assign(found, { [name]: await violations(view) });
        await view.page.keyboard.press('Escape');
        expect(await overflow(view), name).toBe(0);
      }
      await view.page.context().close();
      expect(Object.entries(found).filter(([, list]) => list.length > 0)).toEqual([]);
      expect([...out.complaints, ...view.complaints]).toEqual([]);
    }, 120_000);

async function violations({ page }: View): Promise<string[]> {
  // Not as a script tag, which the Content-Security-Policy would block.
  await page.evaluate(AXE);
  const list: Violation[] = await page.evaluate('axe.run().then((result) => result.violations)');
  return list.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 120)} ${failureSummary}`),
  );
}

/** Pixels by which the page overflows its window: wide content must scroll in its own box. */
async function overflow({ page }: View): Promise<number> {
  return await page.evaluate(
    'Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)',
  );
}

test('a job can be cancelled by keyboard alone', async () => {
  const view = await web.open();
  const { page } = view;
  await view.go(`/jobs/${ids.running}`, /^Job/);
  const focused = () =>
    page.evaluate<string>(
      'document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? ""',
    );
  const tabTo = async (name: string) => {
    for (let press = 0; press < 40 && (await focused()) !== name; press += 1)
      await page.keyboard.press('Tab');
    expect(await focused()).toBe(name);
  };
  await tabTo('Cancel');
  await page.keyboard.press('Enter');
  await expect.poll(focused).toBe('No, leave it');
  await page.keyboard.press('Escape');
  await expect.poll(focused).toBe('Cancel');
  await page.keyboard.press('Enter');
  await expect.poll(focused).toBe('No, leave it');
  await tabTo('Cancel the job');
  await page.keyboard.press('Enter');
  await web.system.until(ids.running, 'deleted');
  await page.getByText('⊘ deleted').waitFor();
  await page.context().close();
});
