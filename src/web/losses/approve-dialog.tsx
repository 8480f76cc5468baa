/** Dialog that approves the removal of what a loss still holds. */
import { Text } from '@mantine/core';
import type { LossJson } from '../../client/client.ts';
import { removalWords, startsRemoval } from '../../client/loss-format.ts';
import { client } from '../app/session.ts';
import { AnswerDialog } from './answer-dialog.tsx';

type Props = { loss: LossJson; keptUntil: string | null; disabled: boolean; describedBy: string };

/** @param props.keptUntil the first day on which a kept record is proposed again, if it is known */
export function Approve({ keptUntil, ...props }: Props) {
  const { loss } = props;
  return (
    <AnswerDialog
      {...props}
      label={loss.pinned > 0 ? 'Approve the rest…' : 'Approve the removal…'}
      title={`Remove from ${loss.target} in ${loss.env}?`}
      yes={startsRemoval(loss) ? 'Approve and remove' : 'Approve'}
      color="red"
      isFilled
      act={(answer) => client.approveLoss(loss.id, answer)}
    >
      {(seen) => (
        <>
          <Text fw={600}>
            {removalWords(seen)}
            {seen.pinned > 0 && keptUntil !== null && ` until ${keptUntil}`}.
          </Text>
          <Text size="sm" mt="xs">
            {startsRemoval(seen)
              ? 'A job asks the source once more for each of them: what has come back stays. A rollback can undo the job.'
              : `This is approval ${seen.approvals.length + 1} of ${seen.approvals_needed}: nothing is removed before ` +
                'another user approves, too.'}
          </Text>
        </>
      )}
    </AnswerDialog>
  );
}
