/** What is around every view: where one can go, who one is, whether it is live, and that maintenance is on. */
import { AppShell, Burger, Button, Group, NavLink, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { useState } from 'react';
import { MaintenanceBanner } from '../maintenance/banner.tsx';
import { ConnectionBadge, useLive, useMayRead, useUser } from './connection.tsx';
import { limitsOf } from '../../domain/grant.ts';
import { ColorScheme } from './color-scheme.tsx';
import { useMe } from './rights.tsx';
import { isLoginLocal } from './served.ts';
import { signOut } from './session.ts';
import { SignInDialog, SignInView } from './sign-in.tsx';

const PLACES = [
  { to: '/', label: 'Overview' },
  { to: '/jobs', label: 'Jobs' },
  { to: '/start', label: 'Start' },
  { to: '/schedules', label: 'Schedules' },
  { to: '/maintenance', label: 'Maintenance' },
] as const;
/** Whoever else asks for it is refused. */
const ADMINS_PLACES = [{ to: '/audit', label: 'Audit' }] as const;

export function Shell() {
  const connection = useLive();
  const user = useUser();
  const me = useMe();
  const mayRead = useMayRead();
  const [menu, { toggle, close }] = useDisclosure(false);
  const [signing, setSigning] = useState(false);
  const here = useRouterState({ select: ({ location }) => location.pathname });
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 180, breakpoint: 'sm', collapsed: { mobile: !menu } }}
      padding="md"
    >
      <a href="#main" className="skip">
        Skip to the content
      </a>
      <AppShell.Header px="md">
        <Group h="100%" justify="space-between" wrap="nowrap" gap="xs">
          <Group gap="xs" wrap="nowrap">
            <Burger
              opened={menu}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label="Menu"
              aria-expanded={menu}
            />
            <Text fw={700}>Syncrator</Text>
            {mayRead && <ConnectionBadge connection={connection} />}
          </Group>
          <Group gap="xs" wrap="nowrap">
            <ColorScheme />
            {user === undefined && mayRead && isLoginLocal && (
              <Button size="compact-sm" onClick={() => setSigning(true)}>
                Sign in
              </Button>
            )}
            {user !== undefined && (
              <>
                <Text size="sm" visibleFrom="xs">
                  {user}
                  {me && ` (${[me.role, limitsOf(me)].filter(Boolean).join('; ')})`}
                </Text>
                <Button size="compact-sm" variant="default" onClick={signOut}>
                  Sign out
                </Button>
              </>
            )}
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Views" className={menu ? undefined : 'nav-closed'}>
        {[...PLACES, ...(me?.role === 'admin' ? ADMINS_PLACES : [])].map(({ to, label }) => {
          const isHere = to === '/' ? here === '/' : here.startsWith(to);
          return (
            <NavLink
              key={to}
              component={Link}
              to={to}
              label={label}
              active={isHere}
              variant="light"
              aria-current={isHere ? 'page' : undefined}
              onClick={close}
            />
          );
        })}
        <NavLink href="/docs" label="API docs" />
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1}>
        {mayRead ? (
          <>
            <MaintenanceBanner />
            <Outlet />
          </>
        ) : (
          <SignInView />
        )}
      </AppShell.Main>
      <SignInDialog opened={signing} onClose={() => setSigning(false)} />
    </AppShell>
  );
}
