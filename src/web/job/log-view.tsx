/** A log one can follow, search and take along; of any length, since only what is seen is drawn. */
import { Button, Checkbox, Group, Text, TextInput } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useMemo, useRef, useState } from 'react';
import { bytesOf } from '../../client/words.ts';
import { Fault } from '../parts/asked.tsx';
import { Download } from './download.tsx';
import { type Log, useLog } from './use-log.ts';
import './log-view.css';

const LINE_PX = 18;
const LEAST_PX = 90;
const MOST_PX = 380;

type Props = {
  jobId: number;
  step: number;
  attempt: number;
  fileName: string;
  /** How long it is, where that is known. */
  bytes?: number;
};

export function LogView({ jobId, step, attempt, fileName, bytes }: Props) {
  const log = useLog(jobId, { step, attempt });
  const [wanted, setWanted] = useState('');
  const [current, setCurrent] = useState(0);
  const [isFollowing, setFollowing] = useState(true);
  const { lines, count } = log;
  // The lines grow in place: their count tells that they did.
  const found = useMemo(
    () => (wanted === '' || count === 0 ? [] : lines.search(wanted)),
    [lines, count, wanted],
  );
  const at = found.length === 0 ? undefined : found[current % found.length];
  const go = (by: number) => {
    setFollowing(false);
    setCurrent((current + by + found.length) % Math.max(1, found.length));
  };
  return (
    <>
      <Group gap="xs" mb="xs" align="center">
        <TextInput
          aria-label="Search the log"
          placeholder="Search"
          size="xs"
          value={wanted}
          onChange={({ currentTarget }) => {
            setWanted(currentTarget.value);
            setCurrent(0);
          }}
          onKeyDown={({ key, shiftKey }) => {
            if (key === 'Enter' && found.length > 0) go(shiftKey ? -1 : 1);
          }}
        />
        <Button.Group>
          <Button
            size="xs"
            variant="default"
            onClick={() => go(-1)}
            disabled={found.length === 0}
            aria-label="Find the one before"
          >
            ↑
          </Button>
          <Button
            size="xs"
            variant="default"
            onClick={() => go(1)}
            disabled={found.length === 0}
            aria-label="Find the next"
          >
            ↓
          </Button>
        </Button.Group>
        <Text size="xs" role="status" className="figures">
          {wanted !== '' && `${found.length.toLocaleString('en')} found`}
        </Text>
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
          disabled={count === 0}
        />
        <Text size="xs" className="figures">
          {count.toLocaleString('en')} lines
          {bytes === undefined || bytes === 0 ? '' : `, ${bytesOf(bytes)}`}
          {log.state === 'lost' ? ', not live: trying again' : ''}
        </Text>
      </Group>
      {log.error && <Fault error={log.error} what="log" />}
      <Lines
        log={log}
        marked={wanted === '' ? undefined : at}
        isFollowing={isFollowing && wanted === ''}
        onScrollAway={() => setFollowing(false)}
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
    if (isFollowing && count > 0) rows.scrollToIndex(count - 1, { align: 'end' });
  }, [isFollowing, count, rows]);
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
        // By wheel, finger, key or bar. Less than a line is a scroll bar that comes or goes.
        if (scrolled.current - scrollTop >= LINE_PX) onScrollAway();
        scrolled.current = scrollTop;
      }}
    >
      {count === 0 && (
        <Text size="sm" p="xs">
          {state === 'ended' ? 'It has written nothing.' : 'Nothing written yet.'}
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
            {lines.at(index)}
          </div>
        ))}
      </div>
    </div>
  );
}
