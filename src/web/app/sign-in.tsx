/** Signing in. */
import { Button, Card, Modal, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import type { SubmitEvent } from 'react';
import { Fault } from '../parts/asked.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { isLoginLocal } from './served.ts';
import { signIn } from './session.ts';

export function SignInForm({ onDone }: { onDone?: () => void }) {
  const signing = useMutation({
    mutationFn: ({ username, password }: { username: string; password: string }) =>
      signIn(username, password),
    onSuccess: () => onDone?.(),
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
  );
}

/** Where looking needs no name, acting does. */
export function SignInDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Sign in" closeButtonProps={{ 'aria-label': 'Close' }}>
      <SignInForm onDone={onClose} />
    </Modal>
  );
}

/** In place of every view, where nothing may be seen without a name. */
export function SignInView() {
  if (!isLoginLocal)
    return (
      <>
        <PageHead title="Nothing to see here" />
        <Text maw="60ch">
          Signing in with a password is off on this server (LOCAL_LOGIN=false), and looking needs a name. Use
          a token of its issuer over HTTP or from a terminal (<code>SYNCRATOR_TOKEN</code>).
        </Text>
      </>
    );
  return (
    <>
      <PageHead title="Sign in" />
      <Card withBorder maw={400}>
        <SignInForm />
      </Card>
    </>
  );
}
