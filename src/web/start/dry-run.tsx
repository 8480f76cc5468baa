/** What a start would make: per step the arguments, or the manifest. */
import { Card, Code, Text } from '@mantine/core';
import type { DryRunJson } from '../../client/client.ts';

export function DryRun({ dryRun }: { dryRun: DryRunJson }) {
  if (dryRun.result.length === 0)
    return <Text size="sm">Nothing of ours runs: an executor outside of Syncrator takes this job.</Text>;
  return dryRun.result.map(({ step, action, argv, manifest, environment }) => (
    <Card withBorder padding="xs" mb="sm" key={step}>
      <Text fw={600} size="sm">
        Step {step + 1}: {action}
      </Text>
      {argv && (
        <Code block mt={4} className="as-written">
          {argv.join(' ')}
        </Code>
      )}
      {environment && (
        <details>
          <summary className="small">Environment</summary>
          <Code block className="as-written">
            {Object.entries(environment)
              .map(([name, value]) => `${name}=${value}`)
              .join('\n')}
          </Code>
        </details>
      )}
      {manifest && (
        <div
          className="scroll-x manifest"
          tabIndex={0}
          role="region"
          aria-label={`Manifest of step ${step + 1}`}
        >
          <Code block mt={4}>
            {JSON.stringify(manifest, null, 2)}
          </Code>
        </div>
      )}
    </Card>
  ));
}
