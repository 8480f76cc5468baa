/** Signing in. */
import { Button, Modal, PasswordInput, Stack, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { SubmitEvent } from 'react';
import { Fault } from '../parts/asked.tsx';
import { signIn } from './session.ts';

export function SignIn({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const signing = useMutation({
    mutationFn: ({ username, password }: { username: string; password: string }) =>
      signIn(username, password),
    onSuccess: onClose,
  });
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const field = (name: string) => {
      const value = form.get(name);
      return typeof value === 'string' ? value : '';
    };
    signing.mutate({ username: field('username'), password: field('password') });
  };
  return (
    <Modal opened={opened} onClose={onClose} title="Sign in" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <TextInput name="username" label="Username" autoComplete="username" required data-autofocus />
          <PasswordInput
            name="password"
            label="Password"
            autoComplete="current-password"
            required
            visibilityToggleButtonProps={{ 'aria-label': 'Show the password' }}
          />
          {signing.error && <Fault error={signing.error} />}
          <Button type="submit" loading={signing.isPending}>
            Sign in
          </Button>
        </Stack>
      </form>
    </Modal>
  );
}
