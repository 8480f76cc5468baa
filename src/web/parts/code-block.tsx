/** Block of monospaced text with its own scroll bars. */
import { Code } from '@mantine/core';

export function CodeBlock({ name, children }: { name: string; children: string }) {
  return (
    <Code block mt={4} tabIndex={0} role="region" aria-label={name} className="code">
      {children}
    </Code>
  );
}
