/** Searches a log as it grows: the field, the buttons to the previous and the next match, and the count of matches. */
import { Button, Text, TextInput } from '@mantine/core';
import { useMemo, useState } from 'react';
import type { Log } from './use-log.ts';

export type Search = {
  readonly text: string;
  /** Matching lines. */
  readonly count: number;
  /** Index of the current match's line; undefined without a match. */
  readonly marked: number | undefined;
  readonly setText: (text: string) => void;
  /** Moves to another match, wrapping at both ends. */
  readonly go: (by: number) => void;
};

/** @param onGo called before each move to another match */
export function useLogSearch({ lines, end }: Log, onGo: () => void): Search {
  const [text, setText] = useState('');
  const [current, setCurrent] = useState(0);
  // `lines` is mutated in place, and a progress bar rewrites its last line: `end` changes with both.
  const found = useMemo(() => (text === '' || end === 0 ? [] : lines.search(text)), [lines, end, text]);
  return {
    text,
    count: found.length,
    marked: found.length === 0 ? undefined : found[current % found.length],
    setText: (newText) => {
      setText(newText);
      setCurrent(0);
    },
    go: (by) => {
      onGo();
      setCurrent((current + by + found.length) % Math.max(1, found.length));
    },
  };
}

export function LogSearch({ search: { text, count, setText, go } }: { search: Search }) {
  return (
    <>
      <TextInput
        aria-label="Search the log"
        placeholder="Search"
        size="xs"
        value={text}
        onChange={({ currentTarget }) => setText(currentTarget.value)}
        onKeyDown={({ key, shiftKey }) => {
          if (key === 'Enter' && count > 0) go(shiftKey ? -1 : 1);
        }}
      />
      <Button.Group>
        <Button
          size="xs"
          variant="default"
          onClick={() => go(-1)}
          disabled={count === 0}
          aria-label="Find the previous"
        >
          ↑
        </Button>
        <Button
          size="xs"
          variant="default"
          onClick={() => go(1)}
          disabled={count === 0}
          aria-label="Find the next"
        >
          ↓
        </Button>
      </Button.Group>
      <Text size="xs" role="status" className="figures">
        {text !== '' && `${count.toLocaleString('en')} found`}
      </Text>
    </>
  );
}
