/** Shows the signed-in user with their role, and the button that signs in or out. */
import { Button, Text } from '@mantine/core';
import { limitsOf } from '../../domain/permission.ts';
import { useUser } from './connection.tsx';
import { isLoginLocal } from './page-config.ts';
import { useMe } from './permissions.tsx';
import { signOut } from './session.ts';

type Props = { mayRead: boolean; onSignIn: () => void };

export function UserMenu({ mayRead, onSignIn }: Props) {
  const user = useUser();
  const me = useMe();
  if (user === undefined) {
    // Without read access the sign-in form fills the page, so the header needs no button.
    if (!mayRead || !isLoginLocal) return null;
    return (
      <Button size="compact-sm" onClick={onSignIn}>
        Sign in
      </Button>
    );
  }
  return (
    <>
      <Text size="sm" visibleFrom="xs">
        {user}
        {me && ` (${[me.role, limitsOf(me)].filter(Boolean).join('; ')})`}
      </Text>
      <Button size="compact-sm" variant="default" onClick={signOut}>
        Sign out
      </Button>
    </>
  );
}
