/** Button that loads the next page of a list; nothing when there is none. */
import { Button } from '@mantine/core';
import type { ReactNode } from 'react';

type Props = {
  list: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => Promise<unknown> };
  children: ReactNode;
};

export function LoadMore({ list, children }: Props) {
  if (!list.hasNextPage) return null;
  return (
    <Button
      mt="sm"
      size="xs"
      variant="default"
      loading={list.isFetchingNextPage}
      onClick={() => void list.fetchNextPage()}
    >
      {children}
    </Button>
  );
}
