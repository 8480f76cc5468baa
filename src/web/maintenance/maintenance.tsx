/** Pauses and resumes the start of jobs, with a message, and shows the history. */
import { Button, Card, Group, Table, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';
import { queries } from '../app/queries.ts';
import { useDenialReason, DenialReason } from '../app/permissions.tsx';
import { client } from '../app/session.ts';
import { QueryBoundary, Fault } from '../parts/query-boundary.tsx';
import { Ago, localTime } from '../parts/clock.tsx';
import { PageHead } from '../parts/page-head.tsx';

const ENGINE = {
  RUNNING: 'Jobs start when requested.',
  PAUSING: 'No job starts; running jobs continue to their end.',
  PAUSED: 'No job starts and none runs.',
};

export function Maintenance() {
  const flag = useQuery(queries.maintenance());
  const history = useQuery(queries.maintenanceHistory());
  return (
    <>
      <PageHead title="Maintenance" />
      <QueryBoundary query={flag} what="maintenance status">
        {({ engine, paused, msg, running_jobs: running }) => (
          <Card withBorder mb="lg" maw={640}>
            <Text fw={700}>{engine}</Text>
            <Text size="sm">
              {ENGINE[engine]} {running} {running === 1 ? 'job runs' : 'jobs run'} now. Last message: “{msg}”
            </Text>
            <Switch paused={paused} />
          </Card>
        )}
      </QueryBoundary>
      <Text component="h2" fw={600} mb="xs">
        History
      </Text>
      <QueryBoundary query={history} what="history">
        {(entries) => (
          <div className="scroll-x" tabIndex={0} role="region" aria-label="History">
            <Table miw={520}>
              <Table.Thead>
                <Table.Tr>
                  {['When', 'Change', 'Message', 'By'].map((name) => (
                    <Table.Th key={name} scope="col">
                      {name}
                    </Table.Th>
                  ))}
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {entries.map((entry) => (
                  <Table.Tr key={entry.timestamp}>
                    <Table.Td title={localTime(entry.timestamp)}>
                      <Ago time={entry.timestamp} />
                    </Table.Td>
                    <Table.Td>{entry.paused ? 'paused' : 'resumed'}</Table.Td>
                    <Table.Td>{entry.msg}</Table.Td>
                    <Table.Td>{entry.set_by}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </div>
        )}
      </QueryBoundary>
    </>
  );
}

function Switch({ paused }: { paused: boolean }) {
  const cache = useQueryClient();
  const why = useDenialReason({ role: 'admin', of: 'everything' });
  const [msg, setMsg] = useState('');
  const setting = useMutation({
    mutationFn: () => client.setMaintenance(!paused, msg),
    onSuccess: (status) => {
      setMsg('');
      cache.setQueryData(['maintenance'], status);
      void cache.invalidateQueries({ queryKey: ['maintenance', 'history'] });
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    setting.mutate();
  };
  return (
    <form onSubmit={submit}>
      <Group align="end" mt="sm" gap="xs">
        <TextInput
          label="Message"
          description={paused ? 'Why jobs may start again' : 'Why, and until when; shown to every user'}
          value={msg}
          onChange={({ currentTarget }) => setMsg(currentTarget.value)}
          required
          maxLength={1000}
          style={{ flex: 1 }}
        />
        <Button
          type="submit"
          color={paused ? 'blue' : 'orange.9'}
          loading={setting.isPending}
          disabled={why !== undefined}
        >
          {paused ? 'Resume' : 'Pause'}
        </Button>
      </Group>
      <DenialReason why={why} />
      {setting.error && <Fault error={setting.error} />}
    </form>
  );
}
