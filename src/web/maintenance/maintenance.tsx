/** Holding back what has not begun, and letting it go on, with why and the history of both. */
import { Button, Card, Group, Table, Text, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type SubmitEvent, useState } from 'react';
import { ask } from '../app/queries.ts';
import { useWhyNot, WhyNot } from '../app/rights.tsx';
import { client } from '../app/session.ts';
import { Asked, Fault } from '../parts/asked.tsx';
import { Ago, localTime } from '../parts/clock.tsx';
import { PageHead } from '../parts/page-head.tsx';

const ENGINE = {
  RUNNING: 'Jobs begin as they are asked for.',
  PAUSING: 'No job begins; those that run go on to their end.',
  PAUSED: 'No job begins and none runs.',
};

export function Maintenance() {
  const flag = useQuery(ask.maintenance());
  const history = useQuery(ask.maintenanceHistory());
  return (
    <>
      <PageHead title="Maintenance" />
      <Asked query={flag} what="maintenance status">
        {({ engine, paused, msg, running_jobs: running }) => (
          <Card withBorder mb="lg" maw={640}>
            <Text fw={700}>{engine}</Text>
            <Text size="sm">
              {ENGINE[engine]} {running} {running === 1 ? 'job runs' : 'jobs run'} now. Last message: “{msg}”
            </Text>
            <Switch paused={paused} />
          </Card>
        )}
      </Asked>
      <Text component="h2" fw={600} mb="xs">
        History
      </Text>
      <Asked query={history} what="history">
        {(entries) => (
          <div className="scroll-x" tabIndex={0} role="region" aria-label="History">
            <Table miw={520}>
              <Table.Thead>
                <Table.Tr>
                  {['When', 'What', 'Message', 'By'].map((name) => (
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
      </Asked>
    </>
  );
}

function Switch({ paused }: { paused: boolean }) {
  const cache = useQueryClient();
  const why = useWhyNot({ role: 'admin', of: 'everything' });
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
          description={paused ? 'Why it goes on' : 'Why, and until when: everybody sees it'}
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
      <WhyNot why={why} />
      {setting.error && <Fault error={setting.error} />}
    </form>
  );
}
