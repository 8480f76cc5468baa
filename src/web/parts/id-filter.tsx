/** Field that filters a list of records by a part of their ids, and the part once typing pauses. */
import { TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { type ReactNode, useState } from 'react';

const TYPING_MS = 300;

export function useIdFilter(): { readonly part: string; readonly field: ReactNode } {
  const [typed, setTyped] = useState('');
  const [part] = useDebouncedValue(typed.trim(), TYPING_MS);
  const field = (
    <TextInput
      label="Part of an id"
      placeholder="k009"
      value={typed}
      onChange={({ currentTarget }) => setTyped(currentTarget.value)}
      size="xs"
      maw={260}
      mb="xs"
    />
  );
  return { part, field };
}
