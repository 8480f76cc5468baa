/** Renders a query's data, a loader while it is pending, or its error with a retry button. */
import { Alert, Button, Group, Loader, Text } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Refused } from '../../client/http.ts';
import { isLoginLocal } from '../app/page-config.ts';

/** `children` gets the data, including stale data beside the error of a failed refetch. */
export function QueryBoundary<T>({
  query,
  what,
  children,
}: {
  query: Pick<UseQueryResult<T>, 'data' | 'error' | 'refetch'>;
  what: string;
  children: (data: T) => ReactNode;
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

/** An error in the server's words, with one line per invalid field. */
export function Fault({ error, what, onRetry }: { error: Error; what?: string; onRetry?: () => void }) {
  const isUnauthorized = error instanceof Refused && error.status === 401;
  const fields = error instanceof Refused ? error.fields : [];
  return (
    <Alert color="red" title={what ? `Cannot load ${what}` : undefined} my="xs" role="alert">
      <Text size="sm">
        {isUnauthorized && isLoginLocal && what !== undefined ? 'Sign in to see this.' : error.message}
      </Text>
      {fields.map(({ field, message }) => (
        <Text size="sm" key={`${field} ${message}`}>
          <b>{field}</b>: {message}
        </Text>
      ))}
      {onRetry && !isUnauthorized && (
        <Button size="compact-sm" mt="xs" variant="default" onClick={onRetry}>
          Try again
        </Button>
      )}
    </Alert>
  );
}
