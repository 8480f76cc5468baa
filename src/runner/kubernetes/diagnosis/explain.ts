/** Explains to operators how a step's Kubernetes Job ended, and what to do. Pure. */
import type { StepOutcome } from '../../../domain/outcome.ts';
import { explainExit, failed, lastReportText } from '../../exit-diagnosis.ts';
import type { LastReport, StepEnd } from '../../runner.ts';

export function diagnoseKubernetes(end: StepEnd, report: LastReport, ownExitCodes?: boolean): StepOutcome {
  switch (end.kind) {
    case 'completed':
      return { kind: 'completed' };
    case 'exited':
      return explainExit(end.exitCode, report, { logEnd: end.message, ownExitCodes });
    case 'diagnosed':
      return { kind: 'failed', diagnosis: end.diagnosis };
    case 'killed':
      return failed(
        {
          code: 'killed',
          summary: `The program was killed by ${end.signal}; Kubernetes does not report a lack of memory.`,
          what_to_do:
            'SIGKILL has three usual causes: the program outlived its grace period after SIGTERM, the node itself ran out ' +
            'of memory, or another process in the pod sent it. Read the end of the log, and the events of the node with ' +
            "'kubectl describe node'; start the job again.",
        },
        report?.message ?? end.message ?? lastReportText(report),
      );
    case 'deadline':
      return failed(
        {
          code: 'deadline',
          summary: 'The step was ended because it ran longer than START_TIMEOUT plus TIMEOUT.',
          what_to_do:
            'Find the cause of the slow start or run, or raise START_TIMEOUT or TIMEOUT in the params file.',
        },
        lastReportText(report),
      );
    case 'not_started':
      return failed(
        {
          code: 'start_error',
          summary: 'The container runtime could not start the program.',
          what_to_do:
            'Check COMMAND in the params file, and that IMAGE (or the tag) contains the program for the architecture of the nodes.',
        },
        end.detail,
      );
    case 'disappeared':
      return failed(
        {
          code: 'job_disappeared',
          summary:
            'The Kubernetes Job was deleted and its outcome is unknown; it does not count as a success.',
          what_to_do:
            "Find out who deleted it (the cluster's audit log; or its TTL, if no worker ran for long), then start the job again.",
        },
        lastReportText(report),
      );
  }
}
