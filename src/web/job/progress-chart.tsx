/** Chart of records and rate over time, and the same figures as an accessible table. */
import 'uplot/dist/uPlot.min.css';
import { Text, useComputedColorScheme } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import type { JobJson } from '../../client/client.ts';
import type { ReportPointJson } from '../../client/client.ts';
import { queries } from '../app/queries.ts';
import { localTime } from '../parts/clock.tsx';
import { type Points, toPoints, withNewest } from './progress-points.ts';

const HEIGHT_PX = 180;
const MAX_LIVE_POINTS = 2_000;

export function ProgressChart({ job }: { job: JobJson }) {
  const stored = useQuery(queries.reports(job.id)).data;
  const [live, setLive] = useState<readonly ReportPointJson[]>([]);
  // Each live event carries only the newest report, so collect them while the page is open.
  const [seen, setSeen] = useState<JobJson>();
  if (seen !== job) {
    setSeen(job);
    setLive(withNewest(live, job).slice(-MAX_LIVE_POINTS));
  }
  if (!stored) return <Text size="sm">Loading…</Text>;
  const known = new Set(stored.map(({ step, attempt, at }) => `${step}.${attempt} ${at}`));
  const newer = live.filter(({ step, attempt, at }) => !known.has(`${step}.${attempt} ${at}`));
  const reports = withNewest([...stored, ...newer], job);
  const points = toPoints(reports);
  if (points.at.length < 2) return <Text size="sm">Too few reports for a chart.</Text>;
  return (
    <>
      <Drawing points={points} />
      <details>
        <summary className="small">As a table</summary>
        <PointsTable reports={reports} />
      </details>
    </>
  );
}

function Drawing({ points }: { points: Points }) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const isDark = useComputedColorScheme('light') === 'dark';
  const data = [points.at, ...points.records, points.rate] as unknown as uPlot.AlignedData;
  const latest = useRef(data);
  latest.current = data;
  const steps = points.records.length;
  useEffect(() => {
    const parent = box.current;
    if (!parent) return;
    const made = new uPlot(options(parent.clientWidth, steps, isDark), latest.current, parent);
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: parent.clientWidth, height: HEIGHT_PX }));
    resized.observe(parent);
    return () => {
      resized.disconnect();
      made.destroy();
    };
  }, [steps, isDark]);
  useEffect(() => plot.current?.setData(data));
  return <div ref={box} role="img" aria-label="Records over time; the table below has the same figures" />;
}

const COLORS = ['#1c7ed6', '#2b8a3e', '#7048e8'];

function options(width: number, steps: number, isDark: boolean): uPlot.Options {
  const ink = isDark ? '#c1c2c5' : '#495057';
  const grid = { stroke: isDark ? '#3b3b3b' : '#e9ecef' };
  const count = (value: number) => Intl.NumberFormat('en', { notation: 'compact' }).format(value);
  return {
    width,
    height: HEIGHT_PX,
    cursor: { drag: { x: false, y: false } },
    scales: { y: { range: fromZero }, rate: { range: fromZero } },
    axes: [
      { stroke: ink, grid },
      { stroke: ink, grid, values: (_, ticks) => ticks.map(count) },
      {
        scale: 'rate',
        // uPlot declares Side.Right as a type only; it does not exist at run time.
        // oxlint-disable-next-line typescript/no-unsafe-enum-assignment
        side: 1,
        stroke: ink,
        grid: { show: false },
        values: (_, ticks) => ticks.map((t) => `${count(t)}/s`),
      },
    ],
    series: [
      {},
      ...Array.from({ length: steps }, (_, at) => ({
        label: steps === 1 ? 'records' : `step ${at + 1}`,
        stroke: COLORS[at % COLORS.length] ?? ink,
        width: 2,
        spanGaps: false,
      })),
      { label: 'rate', scale: 'rate', stroke: '#e8590c', width: 1, dash: [4, 3] },
    ],
  };
}

function fromZero(_: uPlot, __: number, most: number): uPlot.Range.MinMax {
  return [0, (most || 1) * 1.05];
}

function PointsTable({ reports }: { reports: readonly ReportPointJson[] }) {
  const shown = thinned(reports, 30);
  return (
    <table className="points">
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Step</th>
          <th scope="col">Phase</th>
          <th scope="col">Records</th>
        </tr>
      </thead>
      <tbody>
        {shown.map(({ step, attempt, at, phase, records_done: done }) => (
          <tr key={`${step}.${attempt} ${at}`}>
            <td>{localTime(at)}</td>
            <td>{step + 1}</td>
            <td>{phase}</td>
            <td className="figures">{done?.toLocaleString('en') ?? ''}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Picks at most `most` elements, evenly spaced, including the first and the last. */
function thinned<T>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all;
  return Array.from({ length: most }, (_, at) => all[Math.round((at * (all.length - 1)) / (most - 1))] as T);
}
