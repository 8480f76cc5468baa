/** Timeline of a job's steps as bars: start, end and outcome of each attempt. */
import { Text } from '@mantine/core';
import type { JobJson } from '../../client/client.ts';
import { duration } from '../../client/format.ts';
import { useNow } from '../parts/clock.tsx';
import './timeline.css';

type Step = JobJson['steps'][number];

export function Timeline({ job }: { job: JobJson }) {
  const now = useNow();
  const from = Date.parse(job.created_at);
  const to = Math.max(job.finished_at === null ? now : Date.parse(job.finished_at), from + 1_000);
  const at = (time: number) => (Math.max(0, Math.min(1, (time - from) / (to - from))) * 100).toFixed(2);
  const first = job.steps[0];
  return (
    <ol className="timeline">
      <Bar
        name="waiting to start"
        look="waiting"
        left={at(from)}
        right={at(first ? Date.parse(first.created_at) : to)}
        detail={duration(((first ? Date.parse(first.created_at) : to) - from) / 1000)}
      />
      {job.steps.map((step) => {
        const began = Date.parse(step.started_at ?? step.created_at);
        const ended = step.ended_at === null ? to : Date.parse(step.ended_at);
        return (
          <Bar
            key={`${step.step} ${step.attempt}`}
            name={nameOf(step)}
            look={step.outcome ?? 'running'}
            left={at(began)}
            right={at(ended)}
            detail={`${step.outcome ?? 'running'}, ${duration((ended - began) / 1000)}`}
            why={step.diagnosis?.summary}
          />
        );
      })}
    </ol>
  );
}

function nameOf({ step, attempt, action }: Step): string {
  return `${step + 1}. ${action}${attempt > 1 ? `, attempt ${attempt}` : ''}`;
}

type BarProps = {
  name: string;
  look: 'waiting' | 'running' | 'completed' | 'failed' | 'cancelled';
  left: string;
  right: string;
  detail: string;
  why?: string | undefined;
};

function Bar({ name, look, left, right, detail, why }: BarProps) {
  return (
    <li>
      <div className="timeline-words">
        <Text size="xs" fw={600}>
          {name}
        </Text>
        <Text size="xs" className="figures">
          {detail}
        </Text>
      </div>
      <div className="timeline-track" aria-hidden="true">
        <div
          className={`timeline-bar is-${look}`}
          style={{ left: `${left}%`, right: `${100 - Number(right)}%` }}
        />
      </div>
      {why && <Text size="xs">{why}</Text>}
    </li>
  );
}
