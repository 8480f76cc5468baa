/** What who is signed in may do: what the server would refuse is not offered, and said with the server's words. */
import { Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { JobJson, MeJson } from '../../client/client.ts';
import { type Need, refusalOf, type Touched } from '../../domain/grant.ts';
import { useUser } from './connection.tsx';
import { ask } from './queries.ts';
import { isLoginLocal } from './served.ts';

/** Undefined while nobody is signed in, and until the server has said it. */
export function useMe(): MeJson | undefined {
  const isSignedIn = useUser() !== undefined;
  return useQuery({ ...ask.me(), enabled: isSignedIn }).data;
}

/** Why not, as a sentence; undefined where nothing is known that stands against it: the server decides anyway. */
export function useWhyNot(need: Need): string | undefined {
  const isSignedIn = useUser() !== undefined;
  const me = useMe();
  if (!isSignedIn)
    return isLoginLocal ? 'Sign in to do this.' : 'This needs a name, and signing in is off here.';
  const words = me && refusalOf(me, need)?.words;
  return words && `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

export function touchedBy({ env, job_type: action_name, parameters }: JobJson): Touched {
  return { env, action_name, action: parameters.action };
}

/** Beside what is not offered. */
export function WhyNot({ why }: { why: string | undefined }) {
  return why === undefined ? null : <Text size="sm">{why}</Text>;
}
