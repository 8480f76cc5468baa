/** The log of a fake pod, read by the runner: every line once and in order, whatever breaks meanwhile. */
import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { createKubernetesRunner } from '../../../../src/runner/kubernetes/runner.ts';
import type { LogOver, LogPart, LogPosition, LogReader, Runner } from '../../../../src/runner/runner.ts';
import type { ProvidedCluster } from '../../../support/cluster-setup.ts';
import { type CutProxy, startCutProxy } from '../../../support/cut-proxy.ts';
import { createKubernetesGround, type KubernetesGround } from '../../../support/kubernetes.ts';
import { startOwnCluster } from '../../../support/own-cluster.ts';
import { launched, stepLaunch } from '../../../support/step-launch.ts';

const installation = randomUUID();
const START: LogPosition = { offset: 0, mark: null };
const KEEP = { head: 1_000_000, tail: 1_000_000 };
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}`);
const joined = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');

/** The joined output of a reader; its parts must join without a gap. */
function collect(reader: LogReader, from: LogPosition = START) {
  let { offset } = from;
  const got = {
    reader,
    text: '',
    place: from,
    over: undefined as LogOver | undefined,
    /** `toEnd`: until the log ends, for 20 s at most. */
    async read(toEnd = false): Promise<string> {
      for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
        const part = await reader.read({ toEnd });
        if (part === undefined && toEnd) continue;
        if (typeof part !== 'object') {
          got.over = part;
          break;
        }
        expect(part.offset).toBe(offset);
        ({ offset } = part.next);
        expect(offset).toBe(part.offset + part.bytes.length);
        got.text += part.bytes.toString();
        got.place = part.next;
      }
      return got.text;
    },
  };
  onTestFinished(() => reader.close());
  return got;
}

type Stage = {
  readonly ground: KubernetesGround;
  readonly runner: Runner;
  readonly logs: string;
  readonly proxy: CutProxy;
};

/** The runner reaches the cluster through a proxy. */
async function setUp(cluster: ProvidedCluster): Promise<AsyncDisposable & Stage> {
  const ground = await createKubernetesGround(cluster, { actor: false });
  const proxy = await startCutProxy(cluster, ground.namespace);
  const ended = new AbortController();
  const runner = createKubernetesRunner({
    client: proxy.client,
    installation,
    podOverrides: {},
    onTrouble: () => undefined,
    signal: ended.signal,
  });
  return {
    ground,
    runner,
    logs: path.join(path.dirname(cluster.kubeconfig), 'pod-logs', ground.namespace),
    proxy,
    async [Symbol.asyncDispose]() {
      ended.abort();
      await proxy[Symbol.asyncDispose]();
      await ground.dispose();
    },
  };
}

/** A running pod whose log the test writes. */
async function startPod({ ground, runner, logs }: Stage) {
  const of = await launched(runner, stepLaunch({ installation }));
  const selector = `batch.kubernetes.io/job-name=${of.name}`;
  const pod = async () =>
    (await ground.client.listPods(selector)).items.find(({ status }) => status?.phase === 'Running')?.metadata
      .name;
  await expect.poll(pod, { timeout: 20_000 }).toBeDefined();
  const name = (await pod()) ?? '';
  mkdirSync(path.join(logs, name), { recursive: true });
  return {
    of,
    /** All lines with one time stamp, as from a program that prints faster than the clock ticks. */
    write(lines: readonly string[], stamp = now()) {
      appendFileSync(
        path.join(logs, name, 'job.log'),
        joined(lines.map((line) => `${stamp} stdout F ${line}`)),
      );
    },
    /** Drops what was printed so far, as a node drops the oldest part of a long log. */
    rotate: () => rmSync(path.join(logs, name, 'job.log')),
    async end() {
      await ground.kubectl('annotate', 'pod', name, 'kwok.syncrator/exit-code=0');
      await expect.poll(async () => (await runner.observe(of)).state, { timeout: 20_000 }).toBe('ended');
    },
  };
}

function now(): string {
  return new Date().toISOString().replace('Z', '000000Z');
}

let stage: Awaited<ReturnType<typeof setUp>>;
beforeAll(async () => {
  stage = await setUp(inject('cluster'));
});
afterAll(() => stage[Symbol.asyncDispose]());

test('lines arrive as they are written, and a new line wakes the waiting watcher', async () => {
  const pod = await startPod(stage);
  pod.write(numbers(1, 3));
  const log = collect(stage.runner.openLog(pod.of, START, KEEP));
  await expect.poll(() => log.read()).toBe(joined(numbers(1, 3)));
  for (let line = 4; line <= 8; line++) {
    const late = AbortSignal.timeout(20_000);
    const woken = stage.runner.changed(pod.of.name, late);
    pod.write([`line ${line}`]);
    await woken;
    expect(late.aborted).toBe(false);
    // The pod itself may have changed and woken the watcher before the line was written.
    await expect.poll(() => log.read()).toBe(joined(numbers(1, line)));
  }
});

describe('continuing', () => {
  test.each(['cutAll', 'endAll'] as const)(
    'a reader continues after repeated %s in mid-stream',
    async (breakIt) => {
      const pod = await startPod(stage);
      const log = collect(stage.runner.openLog(pod.of, START, KEEP));
      const stamp = now();
      let written = 0;
      for (let round = 0; round < 4; round++) {
        // The same stamp over several rounds: only counting tells these lines apart.
        pod.write(numbers(written + 1, written + 50), round < 3 ? stamp : now());
        written += 50;
        await expect.poll(() => log.read(), { timeout: 15_000 }).toBe(joined(numbers(1, written)));
        expect(stage.proxy[breakIt]()).toBeGreaterThan(0);
        pod.write(numbers(written + 1, written + 5), round < 2 ? stamp : now());
        written += 5;
      }
      await pod.end();
      expect(await log.read(true)).toBe(joined(numbers(1, written)));
    },
  );

  test('a second reader continues exactly after the output of the first', async () => {
    const pod = await startPod(stage);
    const wide = Array.from({ length: 300 }, (_, index) => `${index} ${'é'.repeat(500)}`);
    const stamp = now();
    pod.write(wide.slice(0, 200), stamp);
    pod.write(wide.slice(200), stamp.replace('000000Z', '000001Z'));
    const first = stage.runner.openLog(pod.of, START, KEEP);
    onTestFinished(() => first.close());
    const parts: LogPart[] = [];
    await expect
      .poll(
        async () => {
          const part = await first.read({ toEnd: false });
          if (typeof part === 'object') parts.push(part);
          return parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
        },
        { interval: 10 },
      )
      .toBe(Buffer.byteLength(joined(wide)));
    expect(parts.length).toBeGreaterThan(3); // so that most places are between two lines of one stamp
    for (const { next } of parts) {
      const second = collect(stage.runner.openLog(pod.of, next, KEEP), next);
      const rest = Buffer.from(joined(wide)).subarray(next.offset).toString();
      await expect.poll(() => second.read()).toBe(rest);
    }
    const last = parts.at(-1)?.next ?? START;
    const third = collect(stage.runner.openLog(pod.of, last, KEEP), last);
    pod.write(['one more'], stamp.replace('000000Z', '000001Z'));
    await expect.poll(() => third.read()).toBe('one more\n');
  });

  test('a reader continues after the kubelet was unreachable for a while', { timeout: 120_000 }, async () => {
    await using own = await startOwnCluster();
    await using there = await setUp(own);
    const pod = await startPod(there);
    const log = collect(there.runner.openLog(pod.of, START, KEEP));
    pod.write(numbers(1, 100));
    await expect.poll(() => log.read(), { timeout: 15_000 }).toBe(joined(numbers(1, 100)));
    await own.parts.kwok.kill();
    pod.write(numbers(101, 200));
    await own.parts.kwok.start();
    pod.write(numbers(201, 300));
    await expect.poll(() => log.read(), { timeout: 30_000 }).toBe(joined(numbers(1, 300)));
  });
});

describe('the end', () => {
  test("a reader that opens after the pod's end reads its tail", async () => {
    const pod = await startPod(stage);
    pod.write(numbers(1, 2_000));
    await pod.end();
    const log = collect(stage.runner.openLog(pod.of, START, KEEP));
    expect(await log.read(true)).toBe(joined(numbers(1, 2_000)));
    expect(log.over).toBe('end');
  });

  test('a slow reader reads completely a log longer than the queue', async () => {
    const pod = await startPod(stage);
    const wide = (from: number, to: number) => numbers(from, to).map((line) => `${line} ${'x'.repeat(990)}`);
    pod.write(wide(1, 2_000));
    const log = collect(stage.runner.openLog(pod.of, START, KEEP));
    await expect.poll(() => log.read()).not.toBe('');
    pod.write(wide(2_001, 4_000));
    await pod.end();
    const text = await log.read(true);
    expect(text.length).toBe(joined(wide(1, 4_000)).length);
    expect(text).toBe(joined(wide(1, 4_000)));
    expect(log.over).toBe('end');
  });

  test('an answer cut in mid-line does not count as the end of the log', async () => {
    const pod = await startPod(stage);
    pod.write(numbers(1, 2_000));
    await pod.end();
    const log = collect(stage.runner.openLog(pod.of, START, KEEP));
    for (const bytes of [10_000, 20_005]) stage.proxy.endNext(`/log?`, bytes);
    expect(await log.read(true)).toBe(joined(numbers(1, 2_000)));
    expect(log.over).toBe('end');
  });

  test('a note marks lines that the node deleted before they were read', async () => {
    const pod = await startPod(stage);
    const log = collect(stage.runner.openLog(pod.of, START, KEEP));
    pod.write(numbers(1, 10), '2026-11-22T01:00:00.500000000Z');
    await expect.poll(() => log.read()).toBe(joined(numbers(1, 10)));
    pod.rotate();
    pod.write(numbers(21, 30), '2026-11-22T01:00:02.500000000Z');
    expect(stage.proxy.cutAll()).toBeGreaterThan(0);
    await pod.end();
    const [before, after] = (await log.read(true)).split(/\[Syncrator: lines are missing here: .*\]\n/);
    expect([before, after]).toEqual([joined(numbers(1, 10)), joined(numbers(21, 30))]);
  });

  test('a following reader gets the last lines', async () => {
    const pod = await startPod(stage);
    const log = collect(stage.runner.openLog(pod.of, START, KEEP));
    pod.write(['first']);
    await expect.poll(() => log.read()).toBe('first\n');
    pod.write(numbers(1, 500));
    await pod.end();
    expect(await log.read(true)).toBe(joined(['first', ...numbers(1, 500)]));
  });

  test('an unreadable log has not ended, and continues once it is readable', async () => {
    const pod = await startPod(stage);
    pod.write(['unheard']);
    const log = collect(stage.runner.openLog(pod.of, START, KEEP));
    await expect.poll(() => log.read()).toBe('unheard\n');
    stage.proxy.refuse();
    onTestFinished(() => stage.proxy.open());
    const fresh = stage.runner.openLog(pod.of, START, KEEP);
    onTestFinished(() => fresh.close());
    const began = performance.now();
    for (const reader of [log.reader, fresh])
      for (let round = 0; round < 3; round++) expect(await reader.read({ toEnd: true })).toBeUndefined();
    expect(performance.now() - began).toBeLessThan(30_000);
    stage.proxy.open();
    await pod.end();
    expect(await log.read(true)).toBe('unheard\n');
    expect(await collect(fresh).read(true)).toBe('unheard\n');
  });

  test('the log of a missing or deleted pod ends at once', async () => {
    const never = { name: 'syn-never', uid: randomUUID() };
    const pod = await startPod(stage);
    const log = stage.runner.openLog(pod.of, START, KEEP);
    onTestFinished(() => log.close());
    await stage.runner.remove({ ...pod.of, force: false });
    await expect.poll(() => stage.runner.observe(pod.of), { timeout: 20_000 }).toEqual({ state: 'absent' });
    for (const reader of [stage.runner.openLog(never, START, KEEP), log])
      await expect.poll(() => reader.read({ toEnd: true }), { timeout: 5_000 }).toBe('gone');
  });
});
