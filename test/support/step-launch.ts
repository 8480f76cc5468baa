/** A step as the launch activity passes it to a runner, without a job behind it. */
import { randomUUID } from 'node:crypto';
import type { PodOverrides } from '../../src/domain/job.ts';
import { stepName } from '../../src/domain/names.ts';
import { STEP_DEFAULTS } from '../../src/domain/plan.ts';
import type { Launched, Runner, StepLaunch } from '../../src/runner/runner.ts';

type Of = {
  installation: string;
  target?: string;
  /** Annotations of the fake pod, without kwok's prefix. */
  pod?: Readonly<Record<string, string>>;
  overrides?: PodOverrides;
};

export function stepLaunch({ installation, target = 'alone', pod = {}, overrides = {} }: Of): StepLaunch {
  const jobUid = randomUUID();
  const annotations = Object.fromEntries(
    Object.entries(pod).map(([name, value]) => [`kwok.syncrator/${name}`, value]),
  );
  return {
    name: stepName({ uid: jobUid, step: 0, attempt: 1, action: 'sync' }),
    labels: {
      installation,
      jobId: 7,
      jobUid,
      env: 'dev',
      target,
      action: 'sync',
      step: 0,
      attempt: 1,
      specHash: 'a'.repeat(64),
    },
    originUid: jobUid,
    spec: {
      ...STEP_DEFAULTS,
      action: 'sync',
      args: ['sync'],
      image: 'registry.example/syncrator:1',
      environment: {},
      podOverrides: { ...overrides, annotations: { ...annotations, ...overrides.annotations } },
    },
    reportUrl: 'http://127.0.0.1:9/none',
    traceparent: null,
    reportToken: 'none',
    checkpoint: undefined,
  };
}

/** @throws Error if it was not launched */
export async function launched(runner: Runner, step: StepLaunch): Promise<{ name: string; uid: string }> {
  const result: Launched = await runner.launch(step);
  if (result.kind !== 'launched') throw new Error(JSON.stringify(result));
  return { name: step.name, uid: result.uid };
}
