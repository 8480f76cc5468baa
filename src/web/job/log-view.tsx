/** Viewer that follows, searches and downloads a log of any length: it renders only visible lines. */
import { Checkbox, Group, Text } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useCallback, useEffect, useRef, useState } from 'react';
import { bytesOf } from '../../client/format.ts';
import { Fault } from '../parts/query-boundary.tsx';
import { Download } from './download.tsx';
import { LogSearch, useLogSearch } from './log-search.tsx';
import { type Log, useLog } from './use-log.ts';
import { BOLD, type Line, runsOf } from './terminal-line.ts';
import './log-view.css';

const LINE_PX = 18;
const LEAST_PX = 90;
const MOST_PX = 380;

type Props = {
  jobId: number;
  step: number;
  attempt: number;
  fileName: string;
  /** Size of the log, if known. */
  bytes?: number;
};

export function LogView({ jobId, step, attempt, fileName, bytes }: Props) {
  const log = useLog(jobId, { step, attempt });
  const [isFollowing, setFollowing] = useState(true);
  const stopFollowing = useCallback(() => setFollowing(false), []);
  const search = useLogSearch(log, stopFollowing);
  return (
    <>
      <Group gap="xs" mb="xs" align="center">
        <LogSearch search={search} />
        <Checkbox
          size="xs"
          label="Follow"
          checked={isFollowing}
          onChange={({ currentTarget }) => setFollowing(currentTarget.checked)}
        />
        <Download
          jobId={jobId}
          at={{ step, attempt }}
          fileName={fileName}
          label="Download"
          disabled={log.count === 0}
        />
        <Text size="xs" className="figures">
          {log.count.toLocaleString('en')} lines
          {bytes === undefined || bytes === 0 ? '' : `, ${bytesOf(bytes)}`}
          {log.state === 'lost' ? ', not live: reconnecting' : ''}
        </Text>
      </Group>
      {log.error && <Fault error={log.error} what="log" />}
      <Lines
        log={log}
        marked={search.marked}
        isFollowing={isFollowing && search.text === ''}
        onScrollAway={stopFollowing}
      />
    </>
  );
}

type LinesProps = {
  log: Log;
  marked: number | undefined;
  isFollowing: boolean;
  onScrollAway: () => void;
};

function Lines({ log: { lines, count, state }, marked, isFollowing, onScrollAway }: LinesProps) {
  const box = useRef<HTMLDivElement>(null);
  const scrolled = useRef(0);
  const rows = useVirtualizer({
    count,
    getScrollElement: () => box.current,
    estimateSize: () => LINE_PX,
    overscan: 20,
  });
  useEffect(() => {
    if (!isFollowing || count === 0 || !box.current) return;
    // The user has just scrolled up, but the scroll event is still pending and would report the position set below.
    if (scrolled.current - box.current.scrollTop >= LINE_PX) onScrollAway();
    // Not by the virtualizer, which repeats the scroll for some frames and would fight a user who scrolls away.
    else box.current.scrollTop = box.current.scrollHeight;
  }, [isFollowing, count, onScrollAway]);
  useEffect(() => {
    if (marked !== undefined) rows.scrollToIndex(marked, { align: 'center' });
  }, [marked, rows]);
  return (
    <div
      className="log"
      style={{ height: Math.min(MOST_PX, Math.max(LEAST_PX, count * LINE_PX + 16)) }}
      ref={box}
      role="log"
      aria-label="Log"
      aria-live="off"
      tabIndex={0}
      onScroll={({ currentTarget: { scrollTop } }) => {
        // By wheel, touch, key or scroll bar. A smaller change is a scroll bar that appears or disappears.
        if (scrolled.current - scrollTop >= LINE_PX) onScrollAway();
        scrolled.current = scrollTop;
      }}
    >
      {count === 0 && (
        <Text size="sm" p="xs">
          {state === 'ended' ? 'The log is empty.' : 'No output yet.'}
        </Text>
      )}
      <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {rows.getVirtualItems().map(({ index, start, key }) => (
          <div
            key={key}
            className={index === marked ? 'log-line is-marked' : 'log-line'}
            style={{ transform: `translateY(${start}px)` }}
          >
            <span className="log-number" aria-hidden="true">
              {index + 1}
            </span>
            <LineText line={lines.line(index)} />
          </div>
        ))}
      </div>
    </div>
  );
}

function LineText({ line }: { line: Line }) {
  if (line.looks === '') return line.text;
  return runsOf(line).map(({ text, look }, at) => (
    <span key={at} className={classOf(look)}>
      {text}
    </span>
  ));
}

function classOf(look: number): string | undefined {
  const color = look % BOLD;
  const names = [...(color === 0 ? [] : [`log-color-${color}`]), ...(look >= BOLD ? ['log-bold'] : [])];
  return names.length === 0 ? undefined : names.join(' ');
}
