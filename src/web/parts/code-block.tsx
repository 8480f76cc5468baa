/** Text as a machine reads it, which scrolls by itself where it is wide or long. */
import { Code } from '@mantine/core';

export function CodeBlock({ name, children }: { name: string; children: string }) {
  return (
    <Code block mt={4} tabIndex={0} role="region" aria-label={name} className="code">
      {children}
    </Code>
  );
}
