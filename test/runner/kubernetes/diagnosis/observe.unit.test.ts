/**
 * Observations and diagnoses of Kubernetes objects, compared with the golden files in pod-states/. To rewrite the
 * expected values run UPDATE_GOLDEN=1 npx vitest run --project unit observe, then review each difference.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Diagnosis } from '../../../../src/domain/outcome.ts';
import { explainExit } from '../../../../src/runner/exit-diagnosis.ts';
import { diagnoseKubernetes } from '../../../../src/runner/kubernetes/diagnosis/explain.ts';
import { observeJob, type JobSnapshot } from '../../../../src/runner/kubernetes/diagnosis/observe.ts';
import type { Condition, Event, Job, Pod } from '../../../../src/runner/kubernetes/apiserver/types.ts';
import type { LastReport, Observation } from '../../../../src/runner/runner.ts';

type Golden = {
  /** Describes the case, and the source of its objects. */
  readonly about: string;
  readonly input: JobSnapshot;
  readonly words?: Exclude<LastReport, undefined>;
  readonly observation: Observation;
  /** Expected diagnosis of an unsuccessful end. */
  readonly diagnosis?: Diagnosis;
};

const FOLDER = join(import.meta.dirname, 'pod-states');
const CASES = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.json'))
  .map((file) => file.slice(0, -'.json'.length));

describe('golden files', () => {
  test.each(CASES)('pod-states/%s.json gives the recorded observation and diagnosis', (name) => {
    const path = join(FOLDER, `${name}.json`);
    const golden = JSON.parse(readFileSync(path, 'utf8')) as Golden;
    const seen = answer(golden);
    if (process.env['UPDATE_GOLDEN'] === '1') {
      const { about, input, words } = golden;
      writeFileSync(path, `${JSON.stringify({ about, input, words, ...seen }, null, 2)}\n`);
      return;
    }
    expect(seen, golden.about).toEqual({
      observation: golden.observation,
      ...(golden.diagnosis && { diagnosis: golden.diagnosis }),
    });
  });

  test('every diagnosis code and every waiting reason has a golden file', () => {
    const all = CASES.map((name) => JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Golden);
    const codes = all.flatMap(({ diagnosis, observation }) => [
      diagnosis?.code,
      observation.state === 'waiting' ? observation.giveUp?.diagnosis.code : undefined,
    ]);
    const reasons = all.map(({ observation }) => observation.state === 'waiting' && observation.reason);
    expect(new Set(codes.filter((code) => code !== undefined))).toEqual(new Set(CODES));
    expect(new Set(reasons.filter((reason) => reason !== false))).toEqual(new Set(REASONS));
  });
});

const CODES = [
  'admission_denied',
  'deadline',
  'delete_guard',
  'disrupted',
  'exit_code',
  'image_pull',
  'image_user',
  'init_failed',
  'invalid_image',
  'job_disappeared',
  'job_failed',
  'killed',
  'not_configured',
  'oom',
  'service_account_missing',
  'sidecar_failed',
  'sidecar_lingers',
  'start_error',
  'start_timeout',
  'storage_limit',
];
const REASONS = [
  'admission',
  'being_deleted',
  'config_error',
  'image_pull',
  'init',
  'pod_not_created',
  'quota',
  'sandbox',
  'scheduling_gated',
  'sidecar',
  'start_error',
  'suspended',
  'unschedulable',
  'volume',
];

/** Through JSON, which drops undefined fields. */
function answer({ input, words }: Golden): { observation: Observation; diagnosis?: Diagnosis } {
  const observation = observeJob(input);
  const outcome =
    observation.state === 'ended' ? diagnoseKubernetes(observation.end, words) : ({ kind: 'none' } as const);
  const whole = { observation, diagnosis: outcome.kind === 'failed' ? outcome.diagnosis : undefined };
  return JSON.parse(JSON.stringify(whole)) as { observation: Observation; diagnosis?: Diagnosis };
}

test('a Job that disappeared did not succeed', () => {
  expect(diagnoseKubernetes({ kind: 'disappeared' }, undefined)).toMatchObject({
    kind: 'failed',
    diagnosis: { code: 'job_disappeared', detail: 'The program sent no report.' },
  });
});

test('the detail is the program’s message, else the end of its log, else its last phase', () => {
  const end = { kind: 'exited', exitCode: 1, message: 'end of the log' } as const;
  const detail = (words: LastReport, left: Parameters<typeof diagnoseKubernetes>[0] = end) => {
    const outcome = diagnoseKubernetes(left, words);
    return outcome.kind === 'failed' && outcome.diagnosis.detail;
  };
  expect(detail({ phase: 'load', message: 'disk full' })).toBe('disk full');
  expect(detail({ phase: 'load', message: null })).toBe('end of the log');
  expect(detail({ phase: 'load', message: null }, { kind: 'exited', exitCode: 1 })).toContain("'load'");
  expect(detail(undefined, { kind: 'exited', exitCode: 1 })).toBe('exit code 1');
});

test('a truncated end of a log loses its first word, which may be a secret without its name', () => {
  const of = (logEnd: string) => JSON.stringify(explainExit(1, undefined, { logEnd }));
  const said = of(`earer s3cr3t-s3cr3t and ${'z'.repeat(2_024)}`);
  expect(said).toContain('"and zzz');
  expect(said).not.toContain('s3cr3t');
  expect(of('earer s3cr3t')).toContain('earer s3cr3t'); // too short to have been cut
});

describe('for arbitrary objects', () => {
  const UID = 'job-uid';
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom('OOMKilled', 'Evicted', 'StartError', 'DeadlineExceeded', 'FailedCreate', 'FailedMount'),
    fc.constantFrom('ImagePullBackOff', 'InvalidImageName', 'ContainerCreating', 'Unschedulable', 'Failed'),
    fc.constantFrom('exceeded quota: q', 'pods "x" is forbidden: y', 'runAsNonRoot and image'),
  );
  const time = fc.constantFrom('2026-03-01T00:00:00Z', '2026-03-01T00:00:01Z', '');
  const metadata = fc.record(
    {
      name: fc.string(),
      uid: fc.constantFrom(UID, 'pod-uid', ''),
      resourceVersion: fc.string(),
      creationTimestamp: time,
      deletionTimestamp: time,
      labels: fc.record({ 'batch.kubernetes.io/controller-uid': fc.constantFrom(UID, 'other') }),
    },
    { requiredKeys: ['name', 'uid', 'resourceVersion', 'creationTimestamp'] },
  );
  const condition = fc.record(
    {
      type: fc.constantFrom(
        'Complete',
        'Failed',
        'FailureTarget',
        'SuccessCriteriaMet',
        'PodScheduled',
        'DisruptionTarget',
        'Ready',
      ),
      status: fc.constantFrom<Condition['status']>('True', 'False', 'Unknown'),
      reason: word,
      message: word,
    },
    { requiredKeys: ['type', 'status'] },
  );
  const container = fc.record(
    {
      name: fc.constantFrom('job', 'sidecar'),
      image: fc.string(),
      state: maybe(
        fc.record(
          {
            waiting: fc.record({ reason: word, message: word }, { requiredKeys: [] }),
            running: fc.record({}),
            terminated: fc.record(
              { exitCode: fc.constantFrom(0, 1, 137, 143, -1), reason: word, message: word },
              { requiredKeys: ['exitCode'] },
            ),
          },
          { requiredKeys: [] },
        ),
      ),
    },
    { requiredKeys: ['name'] },
  );
  const few = <T>(value: fc.Arbitrary<T>) => fc.array(value, { maxLength: 3 });
  const job = fc.record(
    {
      metadata: metadata.map((of) => ({ ...of, uid: UID })),
      spec: fc.record({ suspend: fc.boolean() }, { requiredKeys: [] }),
      status: fc.record({ conditions: few(condition), active: fc.nat(2) }, { requiredKeys: [] }),
    },
    { requiredKeys: ['metadata'] },
  );
  const pod = fc.record(
    {
      metadata,
      spec: fc.record({ nodeName: fc.string(), containers: few(container) }, { requiredKeys: [] }),
      status: fc.record(
        {
          phase: fc.constantFrom('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'),
          reason: word,
          message: word,
          conditions: few(condition),
          initContainerStatuses: few(container),
          containerStatuses: few(container),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: ['metadata'] },
  );
  const event = fc.record(
    {
      metadata,
      type: word,
      reason: word,
      message: word,
      lastTimestamp: fc.option(time),
      firstTimestamp: fc.option(time),
      involvedObject: fc.record({ uid: fc.constantFrom(UID, 'pod-uid') }, { requiredKeys: [] }),
    },
    { requiredKeys: ['metadata', 'involvedObject'] },
  );
  const seen = fc.record({ job, pods: few(pod), events: few(event) }) as fc.Arbitrary<{
    job: Job;
    pods: Pod[];
    events: Event[];
  }>;

  const conditionOf = (of: Job, type: string) =>
    of.status?.conditions?.some((is) => is.type === type && is.status === 'True') === true;

  test('a Job completes only by Complete, and ends only by Complete or Failed without a live pod', () => {
    fc.assert(
      fc.property(seen, (input) => {
        const observation = observeJob(input);
        if (observation.state !== 'ended') return;
        const complete = conditionOf(input.job, 'Complete');
        expect(complete || conditionOf(input.job, 'Failed')).toBe(true);
        const outcome = diagnoseKubernetes(observation.end, undefined);
        expect(outcome.kind === 'completed').toBe(observation.end.kind === 'completed');
        if (outcome.kind === 'completed') expect(complete).toBe(true);
        const live = input.pods.filter(
          ({ metadata, status }) =>
            metadata.labels?.['batch.kubernetes.io/controller-uid'] === UID &&
            status?.phase !== 'Succeeded' &&
            status?.phase !== 'Failed',
        );
        expect(live).toEqual([]);
      }),
      { numRuns: 5_000 },
    );
  });
});
