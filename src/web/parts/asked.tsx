/** An answer of the server, or that it is on its way, or why there is none and what to do. */
import { Alert, Button, Group, Loader, Text } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Refused } from '../../client/http.ts';
import { isLoginLocal } from '../app/served.ts';

/** `children` gets the answer, also a kept one of before while a newer one cannot be had. */
export function Asked<T>({
  query,
  what,
  children,
}: {
  query: Pick<UseQueryResult<T>, 'data' | 'error' | 'refetch'>;
  what: string;
  children: (answer: T) => ReactNode;
}) {
  const { data, error } = query;
  if (data === undefined && error === null)
    return (
      <Group gap="xs" role="status">
        <Loader size="xs" aria-hidden="true" /> <Text size="sm">Loading {what}…</Text>
      </Group>
    );
  return (
    <>
      {error && <Fault error={error} what={what} onRetry={() => void query.refetch()} />}
      {data !== undefined && children(data)}
    </>
  );
}

/** A fault in the server's own words, field by field. */
export function Fault({ error, what, onRetry }: { error: Error; what?: string; onRetry?: () => void }) {
  const isAtDoor = error instanceof Refused && error.status === 401;
  const fields = error instanceof Refused ? error.fields : [];
  return (
    <Alert color="red" title={what ? `No ${what}` : undefined} my="xs" role="alert">
      <Text size="sm">{isAtDoor && isLoginLocal ? 'Sign in to see this.' : error.message}</Text>
      {fields.map(({ field, message }) => (
        <Text size="sm" key={`${field} ${message}`}>
          <b>{field}</b>: {message}
        </Text>
      ))}
      {onRetry && !isAtDoor && (
        <Button size="compact-sm" mt="xs" variant="default" onClick={onRetry}>
          Try again
        </Button>
      )}
    </Alert>
  );
}
