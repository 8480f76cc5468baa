/** Filter fields of the list of jobs. */
import { Button, Checkbox, Group, MultiSelect, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { TARGET_ACTIONS } from '../../domain/action.ts';
import { JOB_STATUSES } from '../../domain/status.ts';
import { queries } from '../app/queries.ts';
import { useIsNarrow } from '../parts/narrow.ts';
import type { FilterSearch } from './filter-search.ts';

type Props = { value: FilterSearch; onChange: (change: FilterSearch) => void };

/** Folds the fields on a narrow screen, to leave room for the list. */
export function Filters(props: Props) {
  const isNarrow = useIsNarrow();
  const count = Object.keys(props.value).length;
  if (!isNarrow) return <Fields {...props} />;
  return (
    <details className="filters">
      <summary>Filters{count > 0 ? ` (${count} set)` : ''}</summary>
      <Fields {...props} />
    </details>
  );
}

type Change = { [K in keyof FilterSearch]: FilterSearch[K] | undefined };
type FieldProps = { value: FilterSearch; set: (change: Change) => void };

function Fields({ value, onChange }: Props) {
  const set = (change: Change) => {
    const all = { ...value, ...change };
    onChange(Object.fromEntries(Object.entries(all).filter(([, of]) => of !== undefined && of !== '')));
  };
  return (
    <Group gap="xs" mb="sm" align="end" component="section" aria-label="Filters">
      <PlaceFields value={value} set={set} />
      <KindFields value={value} set={set} />
      <TimeFields value={value} set={set} />
      <Checkbox
        label="Only active"
        checked={value.active === true}
        onChange={({ currentTarget }) => set({ active: currentTarget.checked || undefined })}
        size="xs"
        mb={6}
      />
      <Button
        size="xs"
        variant="default"
        onClick={() => onChange({})}
        disabled={Object.keys(value).length === 0}
      >
        All jobs
      </Button>
    </Group>
  );
}

/** Target and environment, chosen among those declared. */
function PlaceFields({ value, set }: FieldProps) {
  const targets = useQuery(queries.targets()).data ?? [];
  const envs = [...new Set(targets.flatMap(({ environments }) => environments.map(({ env }) => env)))];
  return (
    <>
      <Select
        label="Target"
        placeholder="any"
        data={targets.map(({ name }) => name)}
        value={value.target ?? null}
        onChange={(target) => set({ target: target ?? undefined })}
        searchable
        clearable
        clearButtonProps={{ 'aria-label': 'Any target' }}
        size="xs"
        w={150}
      />
      <Select
        label="Environment"
        placeholder="any"
        data={envs}
        value={value.env ?? null}
        onChange={(env) => set({ env: env ?? undefined })}
        clearable
        clearButtonProps={{ 'aria-label': 'Any environment' }}
        size="xs"
        w={120}
      />
    </>
  );
}

/** Status and action, several of each. */
function KindFields({ value, set }: FieldProps) {
  return (
    <>
      <MultiSelect
        label="Status"
        placeholder={value.status ? '' : 'any'}
        data={[...JOB_STATUSES]}
        value={value.status?.split(',') ?? []}
        onChange={(status) => set({ status: status.join(',') })}
        clearable
        clearButtonProps={{ 'aria-label': 'Any status' }}
        size="xs"
        miw={150}
      />
      <MultiSelect
        label="Action"
        placeholder={value.operation ? '' : 'any'}
        data={[...TARGET_ACTIONS]}
        value={value.operation?.split(',') ?? []}
        onChange={(operation) => set({ operation: operation.join(',') })}
        clearable
        clearButtonProps={{ 'aria-label': 'Any action' }}
        size="xs"
        miw={130}
      />
    </>
  );
}

function TimeFields({ value, set }: FieldProps) {
  return (
    <>
      <TextInput
        label="Since"
        type="datetime-local"
        value={value.since ?? ''}
        onChange={({ currentTarget }) => set({ since: currentTarget.value })}
        size="xs"
      />
      <TextInput
        label="Until"
        type="datetime-local"
        value={value.until ?? ''}
        onChange={({ currentTarget }) => set({ until: currentTarget.value })}
        size="xs"
      />
    </>
  );
}
