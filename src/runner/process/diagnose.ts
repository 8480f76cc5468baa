/** How a supervised process ended, in words an operator can act on. Pure. */
import type { StepOutcome } from '../../domain/outcome.ts';
import { disrupted, explainExit, failed, heard } from '../exit-diagnosis.ts';
import type { LastWords, StepEnd } from '../runner.ts';

export function diagnoseProcess(end: StepEnd, words: LastWords): StepOutcome {
  switch (end.kind) {
    case 'completed':
      return { kind: 'completed' };
    case 'exited':
      return explainExit(end.exitCode, words);
    case 'diagnosed':
      return { kind: 'failed', diagnosis: end.diagnosis };
    case 'killed':
      return end.signal === 'SIGTERM'
        ? disrupted('The program was ended by SIGTERM, not by a cancel of ours.', words)
        : failed(
            {
              code: 'killed',
              summary: `The program was killed by ${end.signal}.`,
              what_to_do:
                'SIGKILL often is the machine running out of memory: see its kernel log. Start the job again.',
            },
            heard(words),
          );
    case 'deadline':
      return failed(
        {
          code: 'deadline',
          summary: 'The step ran longer than TIMEOUT allows and was ended.',
          what_to_do: 'Find out what was slow, or raise TIMEOUT in the params file.',
        },
        heard(words),
      );
    case 'not_started':
      return failed(
        {
          code: 'not_started',
          summary: 'The program could not be started.',
          what_to_do: 'Check COMMAND in the params file and that the program is installed for the worker.',
        },
        end.detail,
      );
    case 'disappeared':
      return failed(
        {
          code: 'job_disappeared',
          summary: 'The run is gone and left no word of how it ended; it does not count as a success.',
          what_to_do: 'See whether somebody killed it or the machine was restarted. Start the job again.',
        },
        heard(words),
      );
  }
}
