/** docs/reference/statuses.md and docs/reference/diagnoses.md, from the lists of src/domain. */
import { DIAGNOSIS_DESCRIPTIONS } from '../../src/domain/diagnosis-descriptions.ts';
import { REASON_DESCRIPTIONS, STATUS_DESCRIPTIONS } from '../../src/domain/status-descriptions.ts';
import { canMove, isFinal, JOB_STATUSES } from '../../src/domain/status.ts';
import { code, page, table } from './markdown.ts';

export function statusesPage(): string {
  return page(
    'Statuses',
    table(
      ['Status', 'Meaning', 'May become'],
      JOB_STATUSES.map((from) => [
        code(from),
        STATUS_DESCRIPTIONS[from],
        isFinal(from)
          ? 'final: never changes'
          : JOB_STATUSES.filter((to) => canMove(from, to))
              .map(code)
              .join(', '),
      ]),
    ),
    '[Architecture](../architecture.md#the-life-of-a-job) shows them as a diagram.',
    '## Reasons',
    '`status_reason` of a job that is `waiting` or `cancelling`; `status_detail` has the details. *Ends as* says how the job ends ' +
      'if the obstacle stays.',
    table(
      ['`status_reason`', 'Waits for', 'Ends as'],
      REASON_DESCRIPTIONS.map((one) => [one.names.map(code).join(', '), one.waitsFor, one.endsAs]),
    ),
  );
}

export function diagnosesPage(): string {
  return page(
    'Diagnoses',
    'A failed job has a `diagnosis`: a stable `code`, a `summary`, a `detail` with the evidence, and `what_to_do`. ' +
      '[The contract of programs](programs.md#exit-codes) has the exit codes.',
    ...Object.entries(DIAGNOSIS_DESCRIPTIONS).flatMap(([heading, codes]) => [
      `## ${heading}`,
      table(
        ['`code`', 'Meaning'],
        Object.entries(codes).map(([name, text]) => [code(name), text]),
      ),
    ]),
  );
}
