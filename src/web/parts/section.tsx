/** Section of a view with a heading. */
import { Card, Text } from '@mantine/core';
import { type ReactNode, useId } from 'react';

export function Section({ title, children }: { title: string; children: ReactNode }) {
  const id = useId();
  return (
    <Card withBorder padding="sm" mb="sm" component="section" aria-labelledby={id}>
      <Text component="h2" fw={600} size="sm" mb="xs" id={id}>
        {title}
      </Text>
      {children}
    </Card>
  );
}
