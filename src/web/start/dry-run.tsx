/** Result of a dry run: the arguments or the manifest of each step. */
import { Card, Text } from '@mantine/core';
import type { DryRunJson } from '../../client/client.ts';
import { CodeBlock } from '../parts/code-block.tsx';

export function DryRun({ dryRun }: { dryRun: DryRunJson }) {
  if (dryRun.result.length === 0)
    return <Text size="sm">Syncrator runs nothing for this job: an external executor takes it.</Text>;
  return dryRun.result.map(({ step, action, argv, manifest, environment }) => (
    <Card withBorder padding="xs" mb="sm" key={step}>
      <Text fw={600} size="sm">
        Step {step + 1}: {action}
      </Text>
      {argv && <CodeBlock name={`Arguments of step ${step + 1}`}>{argv.join(' ')}</CodeBlock>}
      {environment && (
        <details>
          <summary className="small">Environment</summary>
          <CodeBlock name={`Environment of step ${step + 1}`}>
            {Object.entries(environment)
              .map(([key, value]) => `${key}=${value}`)
              .join('\n')}
          </CodeBlock>
        </details>
      )}
      {manifest && (
        <CodeBlock name={`Manifest of step ${step + 1}`}>{JSON.stringify(manifest, null, 2)}</CodeBlock>
      )}
    </Card>
  ));
}
