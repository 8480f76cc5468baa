/** Button that opens a dialog explaining the action, and acts only when confirmed; errors show in the dialog. */
import { Button, type ButtonProps, Group, Modal, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useMutation } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Fault } from './query-boundary.tsx';

type Props<T> = ButtonProps & {
  label: string;
  title: string;
  yes: string;
  act: () => Promise<T>;
  onDone?: (result: T) => void;
  children: ReactNode;
};

export function Confirm<T>({ label, title, yes, act, onDone, children, ...button }: Props<T>) {
  const [opened, { open, close }] = useDisclosure(false);
  const acting = useMutation({
    mutationFn: act,
    onSuccess: (result) => {
      close();
      onDone?.(result);
    },
  });
  return (
    <>
      <Button
        {...button}
        onClick={() => {
          acting.reset();
          open();
        }}
      >
        {label}
      </Button>
      <Modal opened={opened} onClose={close} title={title} closeButtonProps={{ 'aria-label': 'Close' }}>
        <Text component="div" size="sm">
          {children}
        </Text>
        {acting.error && <Fault error={acting.error} />}
        <Group justify="flex-end" mt="md">
          <Button variant="default" onClick={close} data-autofocus>
            No, leave it
          </Button>
          <Button color={button.color ?? 'red'} loading={acting.isPending} onClick={() => acting.mutate()}>
            {yes}
          </Button>
        </Group>
      </Modal>
    </>
  );
}
