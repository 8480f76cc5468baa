/** Button that downloads a log from the server in full, including the part that the page has not read yet. */
import { Button, Text } from '@mantine/core';
import { useState } from 'react';
import { client } from '../app/session.ts';

type Props = {
  jobId: number;
  /** If absent, all steps and attempts. */
  at?: { step: number; attempt: number };
  fileName: string;
  label: string;
  disabled?: boolean;
};

export function Download({ jobId, at, fileName, label, disabled = false }: Props) {
  const [state, setState] = useState<'ready' | 'loading' | Error>('ready');
  const download = async () => {
    setState('loading');
    save(await client.readLog(jobId, at), fileName);
    setState('ready');
  };
  return (
    <>
      <Button
        size="xs"
        variant="default"
        disabled={disabled}
        loading={state === 'loading'}
        onClick={() => {
          download().catch((error: unknown) =>
            setState(error instanceof Error ? error : new Error(String(error))),
          );
        }}
      >
        {label}
      </Button>
      {state instanceof Error && (
        <Text size="xs" role="alert">
          {state.message}
        </Text>
      )}
    </>
  );
}

function save(text: string, fileName: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = fileName;
  link.click();
  URL.revokeObjectURL(address);
}
