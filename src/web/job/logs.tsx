/** Logs of a job: one per step and attempt, or the one of an external executor. */
import { Group, SegmentedControl, Text } from '@mantine/core';
import { useState } from 'react';
import type { JobJson } from '../../client/client.ts';
import { Download } from './download.tsx';
import { LogView } from './log-view.tsx';

export function Logs({ job }: { job: JobJson }) {
  const [chosen, setChosen] = useState<string>();
  const last = job.steps.at(-1);
  if (job.runner === 'external')
    return <LogView jobId={job.id} step={0} attempt={1} fileName={`job-${job.id}.log`} />;
  if (!last) return <Text size="sm">No step has started yet, so there is no log.</Text>;
  const shown = job.steps.find((step) => nameOf(step) === chosen) ?? last;
  return (
    <>
      {job.steps.length > 1 && (
        <Group gap="xs" mb="xs">
          <SegmentedControl
            size="xs"
            aria-label="Step"
            value={nameOf(shown)}
            onChange={setChosen}
            data={job.steps.map((step) => nameOf(step))}
          />
          <Download jobId={job.id} fileName={`job-${job.id}.log`} label="Download all" />
        </Group>
      )}
      <LogView
        key={nameOf(shown)}
        jobId={job.id}
        step={shown.step}
        attempt={shown.attempt}
        bytes={shown.log_bytes}
        fileName={`${shown.name}.log`}
      />
    </>
  );
}

function nameOf({ step, attempt, action }: JobJson['steps'][number]): string {
  return `${step + 1}. ${action}${attempt > 1 ? ` (attempt ${attempt})` : ''}`;
}
