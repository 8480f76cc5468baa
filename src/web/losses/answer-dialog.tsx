/**
 * Button with a dialog that answers a loss: says what will happen, asks for the reason, and sends the digest of the
 * set that it described, also if the set has changed meanwhile.
 */
import { Alert, Button, Group, Modal, Text, TextInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, type SubmitEvent, useState } from 'react';
import type { LossJson } from '../../client/client.ts';
import { Refused } from '../../client/http.ts';
import { Busy } from '../parts/busy.tsx';
import { useIsNarrow } from '../parts/narrow.ts';

export type Answer = { readonly digest: string; readonly reason: string };

type Props = {
  loss: LossJson;
  label: string;
  title: string;
  yes: string;
  color: string;
  isFilled?: boolean;
  disabled: boolean;
  /** Id of the text that says why it is disabled. */
  describedBy: string;
  act: (answer: Answer) => Promise<LossJson>;
  onDone?: () => void;
  /** Gets the set as it was when the dialog opened. */
  children: (seen: LossJson) => ReactNode;
};

export function AnswerDialog(props: Props) {
  const { loss, label, title, color, isFilled = false, disabled, describedBy } = props;
  const [opened, { open, close }] = useDisclosure(false);
  const [seen, setSeen] = useState(loss);
  const isNarrow = useIsNarrow();
  return (
    <>
      <Button
        size="compact-sm"
        color={color}
        variant={isFilled ? 'filled' : 'default'}
        disabled={disabled}
        aria-describedby={disabled ? describedBy : undefined}
        onClick={() => {
          setSeen(loss);
          open();
        }}
      >
        {label}
      </Button>
      <Modal
        opened={opened}
        onClose={close}
        title={title}
        fullScreen={isNarrow}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <AnswerForm {...props} seen={seen} close={close} />
      </Modal>
    </>
  );
}

function AnswerForm({
  seen,
  yes,
  color,
  act,
  onDone,
  close,
  children,
}: Props & { seen: LossJson; close: () => void }) {
  const cache = useQueryClient();
  const [reason, setReason] = useState('');
  const answering = useMutation({
    mutationFn: () => act({ digest: seen.digest, reason: reason.trim() }),
    onSuccess: (loss) => {
      cache.setQueryData(['losses', 'one', loss.id], loss);
      close();
      onDone?.();
    },
    // After a refusal, too: the set may have changed, and the page should show how.
    onSettled: () => cache.invalidateQueries({ queryKey: ['losses'] }),
  });
  const { error } = answering;
  if (error instanceof Refused && error.code === 'loss_changed')
    return <Changed message={error.message} close={close} />;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    answering.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Text component="div" size="sm">
        {children(seen)}
      </Text>
      <TextInput
        label="Reason"
        description="The audit keeps it"
        value={reason}
        onChange={({ currentTarget }) => setReason(currentTarget.value)}
        required
        maxLength={500}
        mt="sm"
        data-autofocus
      />
      <Busy error={error} />
      <Group justify="flex-end" mt="md">
        <Button variant="default" onClick={close}>
          No, leave it
        </Button>
        <Button type="submit" color={color} loading={answering.isPending} disabled={reason.trim() === ''}>
          {yes}
        </Button>
      </Group>
    </form>
  );
}

function Changed({ message, close }: { message: string; close: () => void }) {
  return (
    <>
      <Alert color="yellow" title="The set has changed since you looked" role="alert">
        {message}
      </Alert>
      <Text size="sm" mt="sm">
        Nothing was answered. The page behind this dialog shows the set as it is now.
      </Text>
      <Group justify="flex-end" mt="md">
        <Button onClick={close} data-autofocus>
          Look at it again
        </Button>
      </Group>
    </>
  );
}
