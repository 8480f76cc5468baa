/**
 * The contract of a runner, as one suite for processes and for Kubernetes Jobs. Each test has its own targets, so
 * that most run at once.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { requestForceDelete } from '../../src/db/jobs/cancel.ts';
import { readInstallation } from '../../src/db/migrate.ts';
import { EXIT } from '../../src/domain/exit-code.ts';
import { workflowId } from '../../src/domain/names.ts';
import { STEP_DEFAULTS } from '../../src/domain/plan.ts';
import { makeReportToken } from '../../src/auth/report-token.ts';
import { cancel } from '../../src/engine/cancel.ts';
import type { Ground } from './runner-env.ts';
import { submitted } from './bulk-jobs.ts';
import { LAST_COUNTS, numberedLines } from './programs/play.ts';
import { STEP_PROGRAM } from './params-files.ts';
import { params, SECRET, startSystem, type System } from './system.ts';

const evidence = mkdtempSync(path.join(os.tmpdir(), 'syncrator-evidence-'));

/** target → where the worker is when it dies; one kill ends all of them. */
const DEATHS = {
  'before-list': 'list:before:1',
  'before-create': 'launch:before:1',
  'after-create': 'launch:after:1',
  watching: 'observe:before:1',
  'second-create': 'launch:before:2',
  'second-created': 'launch:after:2',
  'before-forget': 'forget:before:1',
  'after-forget': 'forget:after:2',
};

const SLOW_END = `POD_OVERRIDES={"annotations":{"kwok.syncrator/delete-after":"20s"}}\n`;

/** Time for last words, which a node grants. */
const END_LATER = `POD_OVERRIDES={"annotations":{"kwok.syncrator/delete-after":"3s"}}\n`;

const PARAMS = [
  params('quick', 'sync', '--seconds 0.2'),
  params('reporting-late', 'sync', '--seconds 0.2'),
  params('cancelled-late', 'sync', '--seconds 0.2'),
  params('doubled', 'sync', '--reports doubled --progress 20'),
  params('shuffled', 'sync', '--reports shuffled --progress 20'),
  params('silent', 'sync', '--mute --seconds 0.2'),
  params('failing', 'sync', `--exit ${EXIT.deleteGuard}`),
  params('nothing', 'rollback', `--exit ${EXIT.nothingToRollBack}`),
  params('both', 'delta', `--touch ${evidence}/both`),
  params('both', 'delete', `--touch ${evidence}/both`),
  params('broken', 'delta', `--exit 1 --touch ${evidence}/broken`),
  params('broken', 'delete', `--touch ${evidence}/broken`),
  params('late', 'sync', '--mute --seconds 60', 'TIMEOUT=1s\n'),
  params('blocked', 'sync', '--mute', 'START_TIMEOUT=3s\n'),
  params('conflict', 'sync', '--mute'),
  params('moments', 'sync', '--seconds 60'),
  params('running', 'sync', '--seconds 60'),
  params('loud', 'sync', '--seconds 0.2 --lines 30000'),
  params('wordy', 'sync', '--seconds 60 --lines 3000', END_LATER),
  params('web-ui', 'sync', '--seconds 60'),
  params('terminated', 'sync', '--seconds 120'),
  params('stubborn', 'sync', '--seconds 120 --stubborn', SLOW_END),
  ...Object.keys(DEATHS).flatMap((target) =>
    ['delta', 'delete'].map((action) => params(target, action, `--touch ${evidence}/${target}`)),
  ),
];

/** All of so many numbered lines, and nothing after them. */
function endsIn(log: string, lines: number): boolean {
  const [, last = ''] = log.split(/at work for job \d+\n(?=line 1 )/);
  return last === `${numberedLines(lines)}\n`;
}

/** @param makeGround called once; undefined for processes, the system's own runner */
export function conformance(name: string, makeGround: () => Promise<Ground | undefined>): void {
  describe(name, () => {
    let system: System;
    const submit = (target: string, ...actions: string[]) => submitted(system, target, ...actions);
    const cancelJob = (id: number) => cancel(system, { id, principal: 'test' });

    beforeAll(async () => {
      const ground = await makeGround();
      system = await startSystem({ params: PARAMS, ...(ground ? { ground } : {}) });
      await system.startApi();
      await system.startWorker();
    });
    afterAll(() => system[Symbol.asyncDispose]());

    describe.concurrent('while one worker runs', () => {
      describe('lifecycle and reports', () => {
        test('a job runs and completes with the counts that were reported, its log kept, nothing left', async ({
          expect,
        }) => {
          const id = await submit('quick');
          const job = await system.until(id, 'completed');
          expect(job.steps).toMatchObject([{ step: 0, attempt: 1, outcome: 'completed' }]);
          expect((await system.call('GET', `/jobs/${id}`)).body).toMatchObject({
            progress: LAST_COUNTS,
          });
          expect(await system.logText(id)).toContain(`sync at work for job ${id}`);
          await expect.poll(() => system.listed('quick'), { timeout: 20_000 }).toEqual([]);
        });

        test('the log keeps everything that a program prints right before its end, also after a cancel', async ({
          expect,
        }) => {
          const loud = await submit('loud');
          expect((await system.until(loud, 'completed')).steps).toMatchObject([{ log_state: 'complete' }]);
          expect(endsIn(await system.logText(loud), 30_000)).toBe(true);
          const wordy = await submit('wordy');
          await system.until(wordy, 'running');
          await expect.poll(() => system.logText(wordy)).toContain('at work');
          await cancelJob(wordy);
          expect((await system.until(wordy, 'deleted')).steps).toMatchObject([{ log_state: 'complete' }]);
          expect(endsIn(await system.logText(wordy), 3_000)).toBe(true);
        });

        for (const target of ['doubled', 'shuffled'])
          test(`${target} reports end in the same counts`, async ({ expect }) => {
            const id = await submit(target);
            await system.until(id, 'completed');
            expect((await system.call('GET', `/jobs/${id}`)).body).toMatchObject({ progress: LAST_COUNTS });
          });

        test('a job whose program never reports still completes', async () => {
          await system.until(await submit('silent'), 'completed');
        });

        test('a report after the end is refused and changes nothing', async ({ expect }) => {
          const id = await submit('reporting-late');
          const before = await system.until(id, 'completed');
          const token = makeReportToken([SECRET], { uid: before.uid, step: 0, attempt: 1 });
          const answer = await fetch(`${system.apiUrl}/jobs/${id}/report`, {
            method: 'PUT',
            headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
            body: JSON.stringify({ seq: 99, phase: 'late', records_done: 99 }),
          });
          expect([409, 410]).toContain(answer.status);
          expect(await system.job(id)).toMatchObject({ status: 'completed', version: before.version });
        });
      });

      describe('failing', () => {
        test('an exit code fails the job with its diagnosis', async ({ expect }) => {
          const job = await system.until(await submit('failing'), 'failed');
          expect(job.diagnosis).toMatchObject({ code: 'delete_guard' });
        });

        test('a rollback without a previous state fails with its own diagnosis', async ({ expect }) => {
          const job = await system.until(await submit('nothing', 'rollback'), 'failed');
          expect(job.diagnosis).toMatchObject({ code: 'nothing_to_roll_back' });
        });

        test('a diff runs two steps in order, and ends if the first one fails', async ({ expect }) => {
          const id = await submit('both', 'delta', 'delete');
          await system.until(id, 'completed');
          expect(readFileSync(path.join(evidence, 'both'), 'utf8')).toBe(`delta ${id}\ndelete ${id}\n`);
          const broken = await submit('broken', 'delta', 'delete');
          const job = await system.until(broken, 'failed');
          expect(job.steps.map((step) => step.action)).toEqual(['delta']);
          expect(readFileSync(path.join(evidence, 'broken'), 'utf8')).toBe(`delta ${broken}\n`);
        });

        test('a program that runs too long is stopped, and its job fails by the deadline', async ({
          expect,
        }) => {
          const id = await submit('late');
          expect((await system.until(id, 'failed')).diagnosis).toMatchObject({ code: 'deadline' });
          expect(await system.live('late')).toEqual([]);
        });
      });

      describe('obstacles', () => {
        test('a start waits for leftovers of its key, and START_TIMEOUT ends the wait', async ({
          expect,
        }) => {
          // Something of the key without a row, such as the pod of an earlier job that does not end.
          const earlier = await plant('blocked', 'syn-earlier-0000000000000000-0-1');
          const job = await system.until(await submit('blocked'), 'failed');
          expect(job.diagnosis).toMatchObject({ code: 'start_timeout' });
          expect(job.diagnosis?.detail).toContain(earlier.name);
          await (await system.runner()).remove({ ...earlier, force: true });
        });
      });

      describe('cancelling', () => {
        test('a running job is deleted with everything that it started, by request or from Temporal’s Web UI', async ({
          expect,
        }) => {
          const id = await submit('running');
          await system.until(id, 'running');
          expect(await system.live('running')).toHaveLength(1);
          expect(await cancelJob(id)).toMatchObject({ effect: 'cancelling' });
          const job = await system.until(id, 'deleted');
          expect(await system.live('running')).toEqual([]);
          expect(job.steps).toMatchObject([{ outcome: 'cancelled' }]);

          const second = await submit('web-ui');
          await system.until(second, 'running');
          const workflow = workflowId({ env: 'dev', target: 'web-ui' });
          await system.temporal.client.workflow.getHandle(workflow).cancel();
          expect(await system.until(second, 'deleted')).toMatchObject({ cancel_requested_by: 'temporal' });
          expect(await system.live('web-ui')).toEqual([]);
        });

        test('a cancel at any moment leaves nothing behind', { timeout: 120_000 }, async ({ expect }) => {
          for (const delay of [0, 20, 60, 120, 200, 400, 800, 1_600]) {
            const id = await submit('moments');
            await new Promise((resolve) => setTimeout(resolve, delay));
            await cancelJob(id);
            await system.until(id, 'deleted');
            expect(await system.live('moments')).toEqual([]);
          }
        });

        test('a cancel after the end changes nothing', async ({ expect }) => {
          const id = await submit('cancelled-late');
          await system.until(id, 'completed');
          expect(await cancelJob(id)).toMatchObject({ effect: 'none', job: { status: 'completed' } });
        });

        test('a program that ignores SIGTERM keeps its job cancelling until it is gone', {
          timeout: 90_000,
        }, async ({ expect }) => {
          const id = await submit('stubborn');
          await system.until(id, 'running');
          await cancelJob(id);
          await expect.poll(async () => (await system.job(id)).status).toBe('cancelling');
          expect(await system.live('stubborn')).toHaveLength(1);
          expect(await requestForceDelete(system.db, { id, principal: 'test' })).toBe(true);
          await system.until(id, 'deleted', 60_000);
          expect(await system.live('stubborn')).toEqual([]);
        });

        test('a terminated workflow fails the job once nothing of it runs', { timeout: 90_000 }, async ({
          expect,
        }) => {
          const id = await submit('terminated');
          await system.until(id, 'running');
          const workflow = workflowId({ env: 'dev', target: 'terminated' });
          await system.temporal.client.workflow.getHandle(workflow).terminate('by a test');
          const job = await system.until(id, 'failed', 80_000);
          expect(job.diagnosis).toMatchObject({ code: 'workflow_terminated' });
          expect(await system.live('terminated')).toEqual([]);
        });
      });
    });

    test('every step runs exactly once when the worker is killed at any boundary', {
      timeout: 150_000,
    }, async ({ expect }) => {
      await system.endParts('src/worker.ts');
      const held = await system.startWorker('test/support/breakpoint-worker.ts', {
        HOLD_AT: JSON.stringify(DEATHS),
      });
      const targets = Object.keys(DEATHS);
      const ids = new Map<string, number>();
      for (const target of targets) ids.set(target, await submit(target, 'delta', 'delete'));
      const unheld = () => targets.filter((target) => !existsSync(path.join(system.dataDir, 'held', target)));
      await expect.poll(unheld, { timeout: 90_000 }).toEqual([]);
      await held.kill();
      await system.startWorker();
      for (const [target, id] of ids) {
        const job = await system.until(id, 'completed', 60_000);
        expect(job.steps.map((s) => [s.step, s.attempt, s.outcome])).toEqual([
          [0, 1, 'completed'],
          [1, 1, 'completed'],
        ]);
        const ran = readFileSync(path.join(evidence, target), 'utf8');
        expect(ran, target).toBe(`delta ${id}\ndelete ${id}\n`);
      }
    });

    async function plant(target: string, as: string): Promise<{ name: string; uid: string }> {
      const args = ['sync', '--mute', '--seconds', '60'];
      const launched = await (await system.runner()).launch({
        name: as,
        labels: {
          installation: await readInstallation(system.db),
          jobId: 0,
          jobUid: randomUUID(),
          env: 'dev',
          target,
          action: 'sync',
          step: 0,
          attempt: 1,
          specHash: '',
        },
        originUid: randomUUID(),
        spec: {
          ...STEP_DEFAULTS,
          action: 'sync',
          args,
          command: ['node', STEP_PROGRAM],
          image: 'none',
          environment: {},
        },
        reportUrl: 'http://127.0.0.1:9/none',
        traceparent: null,
        reportToken: '',
        checkpoint: undefined,
      });
      if (launched.kind !== 'launched') throw new Error(launched.kind);
      return { name: as, uid: launched.uid };
    }
  });
}
