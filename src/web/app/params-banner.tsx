/** Banner for operators while the params files on disk are faulty: what is wrong, and what is in use meanwhile. */
import { Alert, List, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { hasRole } from '../../domain/permission.ts';
import { Ago } from '../parts/clock.tsx';
import { useMe } from './permissions.tsx';
import { queries } from './queries.ts';

const SHOWN = 5;

export function ParamsBanner() {
  const me = useMe();
  const { data } = useQuery({
    ...queries.params(),
    enabled: me !== undefined && hasRole(me, 'operator'),
  });
  if (!data || data.faults.length === 0) return null;
  const more = data.faults.length - SHOWN;
  return (
    <Alert color="red" mb="md" title="The params files on disk are faulty" role="status">
      <Text size="sm">
        The last good state stays in use, read <Ago time={data.loaded_at} />. Correct the files, and they are
        read again within seconds.
      </Text>
      <List size="sm" mt="xs">
        {data.faults.slice(0, SHOWN).map(({ file, line, key, fault }) => (
          <List.Item key={`${file} ${line} ${key} ${fault}`}>
            <code>{line === null ? file : `${file}:${line}`}</code>
            {key !== null && ` ${key}`}: {fault}
          </List.Item>
        ))}
        {more > 0 && <List.Item>and {more} more: syncrator params check</List.Item>}
      </List>
    </Alert>
  );
}
