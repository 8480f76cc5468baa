/** Sets the document's title and renders a view's heading, which takes the focus when the view opens. */
import { Group, Title } from '@mantine/core';
import { useEffect, useRef, type ReactNode } from 'react';

export function PageHead({ title, children }: { title: string; children?: ReactNode }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Syncrator`;
  }, [title]);
  useEffect(() => heading.current?.focus({ preventScroll: true }), []);
  return (
    <Group justify="space-between" mb="md" gap="xs">
      <Title order={1} size="h3" ref={heading} tabIndex={-1} className="heading">
        {title}
      </Title>
      <Group gap="xs">{children}</Group>
    </Group>
  );
}
