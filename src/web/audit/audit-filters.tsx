/** Filter form of the audit; applied on submit, so that typing does not send a request per letter. */
import { Button, Checkbox, Group, TextInput } from '@mantine/core';
import { type SubmitEvent, useState } from 'react';
import { type AuditSearch, readAuditSearch } from './audit-search.ts';

const FIELDS = [
  { name: 'principal', label: 'Who', placeholder: 'ada', type: 'text' },
  { name: 'verb', label: 'Action', placeholder: 'cancel', type: 'text' },
  { name: 'object', label: 'Object', placeholder: 'job 7, or job', type: 'text' },
  { name: 'since', label: 'Since', placeholder: '', type: 'datetime-local' },
  { name: 'until', label: 'Until', placeholder: '', type: 'datetime-local' },
] as const;

type Props = { value: AuditSearch; onChange: (change: AuditSearch) => void };

export function AuditFilters({ value, onChange }: Props) {
  const [typed, setTyped] = useState<Record<string, string | boolean | undefined>>(value);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    onChange(readAuditSearch(typed));
  };
  return (
    <form onSubmit={submit} aria-label="Filters">
      <Group gap="xs" mb="sm" align="end">
        {FIELDS.map(({ name, label, placeholder, type }) => (
          <TextInput
            key={name}
            label={label}
            placeholder={placeholder}
            type={type}
            value={String(typed[name] ?? '')}
            onChange={({ currentTarget }) => setTyped({ ...typed, [name]: currentTarget.value })}
            size="xs"
            w={type === 'text' ? 140 : undefined}
          />
        ))}
        <Checkbox
          label="Only refused"
          checked={typed['refused'] === true}
          onChange={({ currentTarget }) => setTyped({ ...typed, refused: currentTarget.checked })}
          size="xs"
          mb={6}
        />
        <Button size="xs" type="submit">
          Show
        </Button>
        <Button
          size="xs"
          variant="default"
          onClick={() => {
            setTyped({});
            onChange({});
          }}
        >
          Clear filters
        </Button>
      </Group>
    </form>
  );
}
