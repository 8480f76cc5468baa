/** Dialogs that keep chosen records, or all of a set: they stay live, and are not proposed again for some days. */
import { NumberInput, Text } from '@mantine/core';
import { useState } from 'react';
import type { LossJson } from '../../client/client.ts';
import { records } from '../../client/data-format.ts';
import { dayOf } from '../../client/loss-format.ts';
import { KEEP_DAYS } from '../../domain/loss.ts';
import { client } from '../app/session.ts';
import { useNow } from '../parts/clock.tsx';
import { AnswerDialog } from './answer-dialog.tsx';

const DAY_MS = 24 * 3_600_000;
/** The ids that a dialog names; the table marks all. */
const NAMED = 8;

type Props = { loss: LossJson; disabled: boolean; describedBy: string };

export function KeepChosen({
  ids,
  onKept,
  ...props
}: Props & { ids: readonly string[]; onKept: () => void }) {
  const { loss } = props;
  const [days, setDays] = useState<number>(KEEP_DAYS.usual);
  const more = ids.length - NAMED;
  return (
    <AnswerDialog
      {...props}
      disabled={props.disabled || ids.length === 0}
      label={ids.length === 0 ? 'Keep chosen…' : `Keep ${ids.length.toLocaleString('en')} chosen…`}
      title={`Keep ${records(ids.length)} of ${loss.target} in ${loss.env}?`}
      yes="Keep them"
      color="green.9"
      act={(answer) => client.keepLoss(loss.id, { ...answer, ids: [...ids], days })}
      onDone={onKept}
    >
      {({ count }) => (
        <>
          <Text size="sm" className="as-written" mb="xs">
            {ids.slice(0, NAMED).join(', ')}
            {more > 0 && ` and ${more.toLocaleString('en')} more`}
          </Text>
          <Effect kept={ids.length} days={days} setDays={setDays} />
          {count > ids.length && (
            <Text size="sm" mt="xs">
              The other {records(count - ids.length)} keep waiting.
            </Text>
          )}
        </>
      )}
    </AnswerDialog>
  );
}

export function KeepAll({ onKept, ...props }: Props & { onKept: () => void }) {
  const { loss } = props;
  const [days, setDays] = useState<number>(KEEP_DAYS.usual);
  return (
    <AnswerDialog
      {...props}
      label="Keep all…"
      title={`Keep all ${records(loss.count)} of ${loss.target} in ${loss.env}?`}
      yes="Keep all"
      color="green.9"
      act={(answer) => client.keepLoss(loss.id, { ...answer, all: true, days })}
      onDone={onKept}
    >
      {({ count }) => <Effect kept={count} days={days} setDays={setDays} />}
    </AnswerDialog>
  );
}

function Effect({ kept, days, setDays }: { kept: number; days: number; setDays: (days: number) => void }) {
  const until = dayOf(new Date(useNow() + days * DAY_MS).toISOString());
  const [stays, are] = kept === 1 ? ['stays', 'is'] : ['stay', 'are'];
  return (
    <>
      {records(kept)} {stays} live until {until} and {are} not proposed for removal before that day.
      <NumberInput
        label="Days"
        value={days}
        onChange={(value) => typeof value === 'number' && setDays(value)}
        min={KEEP_DAYS.least}
        max={KEEP_DAYS.most}
        clampBehavior="strict"
        allowDecimal={false}
        allowNegative={false}
        w={120}
        mt="sm"
      />
    </>
  );
}
