/** Frame around every view: header, navigation, connection state and the banners. */
import { AppShell, Burger, Group, NavLink, Text } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { Inbox } from '../losses/inbox.tsx';
import { MaintenanceBanner } from '../maintenance/banner.tsx';
import { ConnectionBadge, useLive, useMayRead } from './connection.tsx';
import { ColorScheme } from './color-scheme.tsx';
import { ParamsBanner } from './params-banner.tsx';
import { preloadViews } from './lazy-view.ts';
import { useMe } from './permissions.tsx';
import { UserMenu } from './user-menu.tsx';
import { SessionEnded, SignInDialog, SignInView } from './sign-in.tsx';

const PLACES = [
  { to: '/', label: 'Overview' },
  { to: '/jobs', label: 'Jobs' },
  { to: '/losses', label: 'Losses' },
  { to: '/start', label: 'Start' },
  { to: '/schedules', label: 'Schedules' },
  { to: '/maintenance', label: 'Maintenance' },
] as const;
/** The server denies this view to other roles. */
const ADMIN_PLACES = [{ to: '/audit', label: 'Audit' }] as const;

export function Shell() {
  const mayRead = useMayRead();
  const connection = useLive(mayRead);
  const [isMenuOpen, { toggle, close }] = useDisclosure(false);
  const [isSigningIn, setSigningIn] = useState(false);
  useEffect(() => {
    if (mayRead) preloadViews();
  }, [mayRead]);
  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 180, breakpoint: 'sm', collapsed: { mobile: !isMenuOpen } }}
      padding="md"
    >
      <a href="#main" className="skip">
        Skip to the content
      </a>
      <AppShell.Header px="md">
        <Group h="100%" justify="space-between" wrap="nowrap" gap="xs">
          <Group gap="xs" wrap="nowrap">
            <Burger
              opened={isMenuOpen}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label="Menu"
              aria-expanded={isMenuOpen}
            />
            <Text fw={700} visibleFrom="xs">
              Syncrator
            </Text>
            {mayRead && <ConnectionBadge connection={connection} />}
            {mayRead && <Inbox />}
          </Group>
          <Group gap="xs" wrap="nowrap">
            <ColorScheme />
            <UserMenu mayRead={mayRead} onSignIn={() => setSigningIn(true)} />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Views" className={isMenuOpen ? undefined : 'nav-closed'}>
        <ViewLinks onChosen={close} />
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1}>
        {mayRead ? <CurrentView /> : <SignInView />}
      </AppShell.Main>
      <SignInDialog opened={isSigningIn} onClose={() => setSigningIn(false)} />
    </AppShell>
  );
}

function ViewLinks({ onChosen }: { onChosen: () => void }) {
  const me = useMe();
  const here = useRouterState({ select: ({ location }) => location.pathname });
  return (
    <>
      {[...PLACES, ...(me?.role === 'admin' ? ADMIN_PLACES : [])].map(({ to, label }) => {
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
            onClick={onChosen}
          />
        );
      })}
      <NavLink href="/docs" label="API docs" />
    </>
  );
}

function CurrentView() {
  return (
    <>
      <SessionEnded />
      <MaintenanceBanner />
      <ParamsBanner />
      <Outlet />
    </>
  );
}
