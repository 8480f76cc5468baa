/** Actions on a finished job: resume, run again, roll back, lift the delete guard, take over the sink. */
import { useNavigate } from '@tanstack/react-router';
import type { JobJson } from '../../client/client.ts';
import { touched as touchedRecords } from '../../client/data-format.ts';
import {
  APPLY,
  PLAN,
  plannedName,
  REMOVE,
  ROLLBACK,
  ROLLBACK_PREVIEW,
  TAKE_OVER,
} from '../../domain/action.ts';
import { liftsGuard, namedRecords } from '../../domain/options.ts';
import { scopeOf, useMe, useDenialReason, DenialReason } from '../app/permissions.tsx';
import { client } from '../app/session.ts';
import { Confirm } from '../parts/confirm.tsx';
import { mayHaveChanged } from './go-back.ts';
import { RollbackDialog } from './rollback-dialog.tsx';
import { runAgain, runWithoutGuard } from './run-again.ts';

/** Diagnosis codes of a job whose sink belongs to another owner. */
const FOREIGN_SINK_CODES = new Set(['sink_owned', 'sink_replaced']);

export function FinalActions({ job }: { job: JobJson }) {
  const navigate = useNavigate();
  const { env } = job;
  const role = job.parameters.action === TAKE_OVER ? 'admin' : 'operator';
  const why = useDenialReason({ role, of: scopeOf(job) });
  const whyNoRollback = useDenialReason({
    role: 'operator',
    of: { env, action_name: ROLLBACK, action: ROLLBACK },
  });
  const disabled = why !== undefined;
  const openJob = (newer: number) => void navigate({ to: '/jobs/$id', params: { id: String(newer) } });
  return (
    <>
      <DenialReason why={why} />
      {job.status === 'failed' && job.runner !== 'external' && plannedName(scopeOf(job)) === undefined && (
        <Resume key="resume" job={job} disabled={disabled} onStarted={openJob} />
      )}
      {mayHaveChanged(job) && (
        <RollbackDialog key="back" job={job} disabled={whyNoRollback !== undefined} onStarted={openJob} />
      )}
      {job.job_type === ROLLBACK_PREVIEW && (
        <RollBackAsShown job={job} disabled={whyNoRollback !== undefined} onStarted={openJob} />
      )}
      {job.diagnosis?.code === 'delete_guard' && job.parameters.action !== PLAN && (
        <LiftGuard job={job} onStarted={openJob} />
      )}
      {FOREIGN_SINK_CODES.has(job.diagnosis?.code ?? '') && <TakeOver job={job} onStarted={openJob} />}
      {/* An approval alone starts a removal, and a plan its application. */}
      {job.parameters.action !== REMOVE && job.parameters.action !== APPLY && (
        <RunAgain job={job} disabled={disabled} onStarted={openJob} />
      )}
    </>
  );
}

type Props = { job: JobJson; onStarted: (id: number) => void };

function RunAgain({ job, disabled, onStarted }: Props & { disabled: boolean }) {
  const { id, env, target } = job;
  return (
    <Confirm
      label="Run again"
      title={`Run ${job.job_type} of ${target} in ${env} again?`}
      yes="Start it"
      color="blue"
      size="compact-sm"
      disabled={disabled}
      act={() => runAgain(job)}
      onDone={onStarted}
    >
      A new job starts with the parameters of job {id}: <code>{job.parameters.options || 'no options'}</code>,
      tag <code>{job.parameters.is_tag}</code>.
      {liftsGuard(job.parameters.options) && ' It leaves out --force-delete: the delete guard applies again.'}
    </Confirm>
  );
}

function Resume({ job, disabled, onStarted }: Props & { disabled: boolean }) {
  return (
    <Confirm
      label="Resume"
      title={`Resume ${job.job_type} of ${job.target} in ${job.env}?`}
      yes="Resume it"
      color="blue"
      variant="default"
      size="compact-sm"
      disabled={disabled}
      act={() => client.resumeJob(job.id)}
      onDone={(newer) => onStarted(newer.id)}
    >
      A new job continues where job {job.id} stopped. It skips steps that completed within the last hour, and
      continues the failed step from its last checkpoint.
      {liftsGuard(job.parameters.options) && ' It leaves out --force-delete: the delete guard applies again.'}
    </Confirm>
  );
}

/** On the page of a preview job, however that job was started. */
function RollBackAsShown({ job, disabled, onStarted }: Props & { disabled: boolean }) {
  const { target, env, rollback_preview: preview, rollback_before: before, parameters } = job;
  if (preview === null || touchedRecords(preview) === 0) return null;
  return (
    <Confirm
      key="as shown"
      label="Roll back"
      title={`Roll back ${target} in ${env}?`}
      yes="Roll back"
      color="red"
      size="compact-sm"
      disabled={disabled}
      act={() =>
        client.rollback(target, env, {
          ...namedRecords(parameters.options),
          ...(before === null ? {} : { before }),
          expect: preview.digest,
        })
      }
      onDone={({ job_id: id }) => onStarted(id)}
    >
      Applies exactly the changes shown here, or none if the data has changed since the preview (job {job.id}
      ).
    </Confirm>
  );
}

/** Hidden, not disabled, without the permission: lifting the guard is no routine step to ask an admin for. */
function LiftGuard({ job, onStarted }: Props) {
  const isKnown = useMe() !== undefined;
  const why = useDenialReason({ role: 'operator', of: scopeOf(job), liftsGuard: true });
  if (!isKnown || why !== undefined) return null;
  return (
    <Confirm
      key="lift"
      label="Lift the guard"
      title={`Run ${job.job_type} of ${job.target} in ${job.env} without its guard?`}
      yes="Lift the guard and run"
      color="red"
      variant="default"
      size="compact-sm"
      act={() => runWithoutGuard(job)}
      onDone={onStarted}
    >
      This run ignores MAX_DELETE_PERCENT and MAX_DELETE_RECORDS, and deletes every record that the source
      does not list. An empty source still fails the job. The audit records your name.
    </Confirm>
  );
}

function TakeOver({ job, onStarted }: Props) {
  const { target, env } = job;
  const why = useDenialReason({ role: 'admin', of: { env, action_name: TAKE_OVER, action: TAKE_OVER } });
  return (
    <Confirm
      key="take over"
      label="Take over"
      title={`Take over the sink of ${target} in ${env}?`}
      yes="Take it over"
      color="red"
      variant="default"
      size="compact-sm"
      disabled={why !== undefined}
      act={() => client.takeOver(target, env)}
      onDone={({ job_id: id }) => onStarted(id)}
    >
      Afterwards the sink rejects jobs of the former owner. The records stay. The history starts over, so no
      rollback can go back to before the take-over. Make sure that the other writer is meant to stop.
    </Confirm>
  );
}
