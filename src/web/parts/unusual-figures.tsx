/** Pictures of unusual counts of a job: each beside those of earlier runs and the range that they make usual. */
import { Text } from '@mantine/core';
import { anomalyWords } from '../../domain/baseline.ts';
import type { JobJson } from '../../client/client.ts';
import { localTime } from './clock.tsx';
import { Section } from './section.tsx';
import './unusual-figures.css';

type Figure = JobJson['unusual'][number];

const HEIGHT = 80;
const BAR = 14;
const GAP = 6;

export function UnusualFigures({ figures }: { figures: readonly Figure[] }) {
  if (figures.length === 0) return null;
  return (
    <Section title="Unusual for this target">
      <div className="unusual-figures">
        {figures.map((figure) => (
          <Picture key={figure.measure} figure={figure} />
        ))}
      </div>
    </Section>
  );
}

function Picture({ figure }: { figure: Figure }) {
  const { earlier, count, least, most, median } = figure;
  const runs = [...earlier, { at: null, count }];
  const highest = Math.max(1, most, ...runs.map((run) => run.count));
  const width = runs.length * (BAR + GAP);
  const y = (value: number): number => HEIGHT - (value / highest) * HEIGHT;
  return (
    <figure>
      <Text component="figcaption" size="sm" mb={4}>
        {anomalyWords(figure)}
      </Text>
      <svg
        viewBox={`0 -2 ${width} ${HEIGHT + 4}`}
        role="img"
        aria-label={`Earlier runs, oldest first: ${earlier.map((run) => run.count.toLocaleString('en')).join(', ')}. This run: ${count.toLocaleString('en')}`}
      >
        <rect
          className="usual-range"
          x={0}
          width={width}
          y={y(most)}
          height={Math.max(1, y(least) - y(most))}
        />
        <line className="usual-median" x1={0} x2={width} y1={y(median)} y2={y(median)} />
        {runs.map((run, at) => (
          <rect
            key={run.at ?? 'this run'}
            className={run.at === null ? 'unusual-bar' : 'earlier-bar'}
            x={at * (BAR + GAP) + GAP / 2}
            width={BAR}
            y={Math.min(y(run.count), HEIGHT - 1)}
            height={Math.max(1, HEIGHT - y(run.count))}
          >
            <title>
              {run.at === null ? 'this run' : localTime(run.at)}: {run.count.toLocaleString('en')}
            </title>
          </rect>
        ))}
      </svg>
      <Text size="xs" className="dimmed">
        Grey: the last {earlier.length} runs. Band: the usual range; line: the median. Red: this run.
      </Text>
    </figure>
  );
}
