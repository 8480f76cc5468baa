/** How a step's Kubernetes Job ended, in words an operator can act on. Pure. */
import type { StepOutcome } from '../../domain/outcome.ts';
import { explainExit, failed, heard } from '../exit-diagnosis.ts';
import type { LastWords, StepEnd } from '../runner.ts';

export function diagnoseKubernetes(end: StepEnd, words: LastWords): StepOutcome {
  switch (end.kind) {
    case 'completed':
      return { kind: 'completed' };
    case 'exited':
      return explainExit(end.exitCode, words, end.message);
    case 'diagnosed':
      return { kind: 'failed', diagnosis: end.diagnosis };
    case 'killed':
      return failed(
        {
          code: 'killed',
          summary: `The program was killed by ${end.signal}; Kubernetes does not name memory as the cause.`,
          what_to_do:
            'SIGKILL comes when a program outlives its grace period after SIGTERM, from a node that is itself out of ' +
            'memory, or from another process in the pod. See the end of the log, and the events of the node with ' +
            "'kubectl describe node'; start the job again.",
        },
        words?.message ?? end.message ?? heard(words),
      );
    case 'deadline':
      return failed(
        {
          code: 'deadline',
          summary: 'The step took longer than START_TIMEOUT and TIMEOUT together allow and was ended.',
          what_to_do:
            'Find out what was slow, in starting or in running; or raise TIMEOUT or START_TIMEOUT in the params file.',
        },
        heard(words),
      );
    case 'not_started':
      return failed(
        {
          code: 'start_error',
          summary: 'The program could not be started in its container.',
          what_to_do:
            'Check COMMAND in the params file, and that IMAGE (or the tag) has that program for the architecture of the nodes.',
        },
        end.detail,
      );
    case 'disappeared':
      return failed(
        {
          code: 'job_disappeared',
          summary:
            'The Kubernetes Job is gone and left no word of how it ended; it does not count as a success.',
          what_to_do:
            "See who deleted it (the cluster's audit log; its TTL, if the worker was away for long), then start the job again.",
        },
        heard(words),
      );
  }
}
