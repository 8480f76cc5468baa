/** Sign-in form, as a view and as a dialog, and the notice of an ended session. */
import { Alert, Button, Card, Modal, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type SubmitEvent, useSyncExternalStore } from 'react';
import { Fault } from '../parts/query-boundary.tsx';
import { PageHead } from '../parts/page-head.tsx';
import { isLoginLocal } from './page-config.ts';
import { endedBecause, onSessionChange, signIn } from './session.ts';

function SignInForm({ onDone }: { onDone?: () => void }) {
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

/** Tells the user why the server ended their session; renders nothing otherwise. */
export function SessionEnded() {
  const why = useSyncExternalStore(onSessionChange, endedBecause);
  if (why === undefined) return null;
  return (
    <Alert color="yellow" title="You have been signed out" my="xs" role="status">
      <Text size="sm">The server says: {why}</Text>
    </Alert>
  );
}

/** Used where reads are public and only writes need a user. */
export function SignInDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Sign in" closeButtonProps={{ 'aria-label': 'Close' }}>
      <SignInForm onDone={onClose} />
    </Modal>
  );
}

/** Replaces every view where reads need a signed-in user. */
export function SignInView() {
  if (!isLoginLocal)
    return (
      <>
        <PageHead title="Sign-in is off" />
        <Text maw="60ch">
          This server has password sign-in off (LOCAL_LOGIN=false), and reads need a token. Use a token of its
          OIDC issuer over HTTP, or with the command line (<code>SYNCRATOR_TOKEN</code>).
        </Text>
      </>
    );
  return (
    <>
      <PageHead title="Sign in" />
      <SessionEnded />
      <Card withBorder maw={400}>
        <SignInForm />
      </Card>
    </>
  );
}
