/** Explains to operators how a supervised process ended, and what to do. Pure. */
import type { StepOutcome } from '../../domain/outcome.ts';
import { disrupted, explainExit, failed, lastReportText } from '../exit-diagnosis.ts';
import type { LastReport, StepEnd } from '../runner.ts';

export function diagnoseProcess(end: StepEnd, report: LastReport, ownExitCodes?: boolean): StepOutcome {
  switch (end.kind) {
    case 'completed':
      return { kind: 'completed' };
    case 'exited':
      return explainExit(end.exitCode, report, { logEnd: end.message, ownExitCodes });
    case 'diagnosed':
      return { kind: 'failed', diagnosis: end.diagnosis };
    case 'killed':
      return end.signal === 'SIGTERM'
        ? disrupted('The program was ended by SIGTERM, which Syncrator did not send.', report)
        : failed(
            {
              code: 'killed',
              summary: `The program was killed by ${end.signal}.`,
              what_to_do:
                'SIGKILL often means that the machine ran out of memory: check its kernel log, then start the job again.',
            },
            lastReportText(report),
          );
    case 'deadline':
      return failed(
        {
          code: 'deadline',
          summary: 'The step was ended because it ran longer than TIMEOUT.',
          what_to_do: 'Find the cause of the slow run, or raise TIMEOUT in the params file.',
        },
        lastReportText(report),
      );
    case 'not_started':
      return failed(
        {
          code: 'not_started',
          summary: 'The program could not be started.',
          what_to_do:
            'Check COMMAND in the params file, and that the program is installed on the machine of the worker.',
        },
        end.detail,
      );
    case 'disappeared':
      return failed(
        {
          code: 'job_disappeared',
          summary: 'The run disappeared and its outcome is unknown; it does not count as a success.',
          what_to_do:
            'Check whether the process was killed or the machine restarted, then start the job again.',
        },
        lastReportText(report),
      );
  }
}
