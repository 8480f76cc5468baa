/** Permissions of the signed-in user: the page disables actions that the server would deny, and shows why. */
import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { JobJson, MeJson } from '../../client/client.ts';
import { type Requirement, denialReason, type JobScope } from '../../domain/permission.ts';
import { useUser } from './connection.tsx';
import { queries } from './queries.ts';
import { isLoginLocal } from './page-config.ts';

/** Undefined without a signed-in user, and until the server has answered. */
export function useMe(): MeJson | undefined {
  const isSignedIn = useUser() !== undefined;
  return useQuery({ ...queries.me(), enabled: isSignedIn }).data;
}

/** Why the user may not do this, as a sentence; undefined if allowed or not yet known, as the server decides anyway. */
export function useDenialReason(need: Requirement): string | undefined {
  const isSignedIn = useUser() !== undefined;
  const me = useMe();
  if (!isSignedIn)
    return isLoginLocal
      ? 'Sign in to do this.'
      : 'This needs a signed-in user, and password sign-in is off on this server.';
  const words = me && denialReason(me, need)?.words;
  return words && `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

export function scopeOf({ env, job_type: action_name, parameters }: JobJson): JobScope {
  return { env, action_name, action: parameters.action };
}

/** Shown beside a disabled action. */
export function DenialReason({ why }: { why: string | undefined }) {
  return why === undefined ? null : <Text size="sm">{why}</Text>;
}
