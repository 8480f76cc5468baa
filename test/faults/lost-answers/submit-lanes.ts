/** Lost answers during a start: to Temporal's start of the workflow, and to Postgres' COMMIT. */
import { randomUUID } from 'node:crypto';
import type { KyselyPlugin } from 'kysely';
import { connect } from '../../../src/db/connect.ts';
import type { Submission } from '../../../src/db/jobs/submission.ts';
import type { Submitted } from '../../../src/db/jobs/submit.ts';
import { workflowId } from '../../../src/domain/names.ts';
import { planSteps, STEP_DEFAULTS } from '../../../src/domain/plan.ts';
import { createLog } from '../../../src/log.ts';
import { connectTemporal } from '../../../src/temporal/connect.ts';
import { startJob } from '../../../src/engine/start-job.ts';
import type { Rig } from '../rig/rig.ts';
import { type Lane, loseAnswer } from './cut.ts';

type Place = {
  readonly rig: Rig;
  readonly violations: string[];
  /** Every accepted job. */
  readonly accepted: Set<number>;
};

/** Silences warnings about what the program does on purpose. */
const log = createLog({ name: 'faults', level: 'error' });

export function temporalLane({ rig, violations, accepted }: Place): Lane {
  return {
    name: 'Temporal start',
    full: 200,
    abreast: 4,
    async open(index) {
      const link = await rig.newLink(`temporal-${index}`, 'temporal');
      const temporal = connectTemporal({ address: link.address, namespace: 'default' });
      return {
        async once() {
          const submission = request();
          await temporal.client.workflowService.getSystemInfo({});
          const lost = await loseAnswer(
            link,
            () => startJob({ db: rig.db, temporal, log }, submission),
            () => isServed(rig, submission),
          );
          note(submission.target, lost.result, violations, accepted);
          return lost.acted;
        },
        // Left open: the client retries lost calls for a while, and throws out of a timer if it is closed.
        close: () => Promise.resolve(),
      };
    },
  };
}

export function commitLane({ rig, violations, accepted }: Place): Lane {
  return {
    name: 'COMMIT',
    full: 200,
    abreast: 1,
    async open(index) {
      const link = await rig.newLink(`commit-${index}`, 'postgres');
      const pool = { max: 2, applicationName: 'faults', onError: () => undefined };
      const linked = connect(rig.postgresUrl(link), pool);
      return {
        async once() {
          const submission = request();
          const db = linked.withPlugin(afterTheLastStatement(() => link.cutAnswers()));
          const deps = { temporal: rig.temporal, log };
          const lost = await loseAnswer(
            link,
            () => startJob({ ...deps, db }, submission),
            () => isStored(rig, submission.target),
            { armed: true },
          );
          // The caller got 503 and repeats the request with the same Idempotency-Key.
          if (lost.result.status === 'rejected')
            lost.result = (await Promise.allSettled([startJob({ ...deps, db: linked }, submission)]))[0];
          note(submission.target, lost.result, violations, accepted);
          return lost.acted;
        },
        close: () => linked.destroy(),
      };
    },
  };
}

function note(
  target: string,
  result: PromiseSettledResult<Submitted>,
  violations: string[],
  accepted: Set<number>,
): void {
  if (result.status === 'fulfilled' && result.value.kind === 'created') accepted.add(result.value.job.id);
  else
    violations.push(
      `start of ${target}: ${result.status === 'rejected' ? String(result.reason) : result.value.kind}`,
    );
}

/** A job of its own key, whose pod ends at once. */
function request(): Omit<Submission, 'uid'> {
  const parameters = {
    action_name: 'sync',
    action: 'sync',
    is_tag: 'latest',
    options: '',
    mam_main_query: null,
  };
  const plan = planSteps(parameters, { ...STEP_DEFAULTS, command: ['node', 'step.ts'] });
  if ('error' in plan) throw new Error(plan.error);
  return {
    env: 'dev',
    target: `lost-${randomUUID().slice(0, 13)}`,
    parameters,
    runner: 'kubernetes',
    steps: plan.steps,
    trigger: 'api',
    requestedBy: 'faults',
    idempotency: { principal: 'test', key: randomUUID(), bodyHash: 'the same' },
  };
}

async function isStored(rig: Rig, target: string): Promise<boolean> {
  const rows = await rig.db.selectFrom('jobs').select('id').where('target', '=', target).execute();
  return rows.length > 0;
}

async function isServed(rig: Rig, { env, target }: { env: string; target: string }): Promise<boolean> {
  const handle = rig.temporal.client.workflow.getHandle(workflowId({ env, target }));
  return await handle.describe().then(
    () => true,
    () => false, // not started yet
  );
}

/** The last statement of submit before its COMMIT stores the idempotency key. */
function afterTheLastStatement(act: () => Promise<void>): KyselyPlugin {
  const last = new WeakSet();
  let done = false;
  return {
    transformQuery({ node, queryId }) {
      if (JSON.stringify(node).includes('"idempotency_keys"') && node.kind === 'InsertQueryNode')
        last.add(queryId);
      return node;
    },
    async transformResult({ queryId, result }) {
      if (last.has(queryId) && !done) {
        done = true;
        await act();
      }
      return result;
    },
  };
}
