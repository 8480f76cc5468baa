/** Answers to a loss: keep chosen records, keep all, approve the rest; in words, why one of them is not possible. */
import { Button, Group, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import type { LossJson } from '../../client/client.ts';
import { isSamePerson } from '../../domain/loss.ts';
import { requirementOfAnswer } from '../../domain/permission.ts';
import { isFinal } from '../../domain/status.ts';
import { useDenialReason, useMe } from '../app/permissions.tsx';
import { queries } from '../app/queries.ts';
import { Approve } from './approve-dialog.tsx';
import { KeepAll, KeepChosen } from './keep-dialog.tsx';

type Props = {
  loss: LossJson;
  chosen: readonly string[];
  keptUntil: string | null;
  clear: () => void;
};

export function LossAnswers({ loss, chosen, keptUntil, clear }: Props) {
  const [neitherId, approvalId] = [useId(), useId()];
  const neither = useWhyNeither(loss);
  const noApproval = useWhyNoApproval(loss, chosen.length);
  const denied = { loss, disabled: neither !== undefined, describedBy: neitherId };
  return (
    <>
      <Group gap="xs" className="loss-answers" role="group" aria-label="Answer">
        <KeepChosen {...denied} ids={chosen} onKept={clear} />
        {loss.count > 0 && <KeepAll {...denied} onKept={clear} />}
        <Approve
          loss={loss}
          keptUntil={keptUntil}
          disabled={neither !== undefined || noApproval !== undefined}
          describedBy={neither === undefined ? approvalId : neitherId}
        />
        {chosen.length > 0 && (
          <Button size="compact-sm" variant="subtle" onClick={clear}>
            Clear the choice
          </Button>
        )}
      </Group>
      {neither !== undefined && (
        <Text size="sm" mb="xs" id={neitherId}>
          {neither}
        </Text>
      )}
      {neither === undefined && noApproval !== undefined && (
        <Text size="sm" mb="xs" id={approvalId}>
          {noApproval}
        </Text>
      )}
    </>
  );
}

/** Why the user may neither keep nor approve, as a sentence. */
function useWhyNeither(loss: LossJson): string | undefined {
  const denial = useDenialReason(requirementOfAnswer(loss.env));
  const removal = loss.removal_job_id;
  const job = useQuery({ ...queries.job(removal ?? 0), enabled: removal !== null }).data;
  if (removal !== null && job !== undefined && !isFinal(job.status))
    return `Job ${removal} removes these records now.`;
  return denial;
}

/** Why the user may not approve, although they may keep. */
function useWhyNoApproval(loss: LossJson, chosen: number): string | undefined {
  const me = useMe();
  const { count, started_by: starter, approvals } = loss;
  if (count === 0) return 'Every record is kept for now: nothing is left to approve.';
  if (me !== undefined && isSamePerson(starter, me.name))
    return 'You started the job that held these records: another user must approve their removal.';
  if (approvals.some(({ by }) => by === me?.name))
    return 'You have approved this set: another user must approve it, too.';
  if (chosen > 0)
    return 'Keep the chosen records first, or clear the choice: an approval would remove them, too.';
  return undefined;
}
