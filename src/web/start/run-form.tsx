/** Form for the parameters of a job, built from the OpenAPI schema `Run`. */
import { TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { RunBody } from '../../client/client.ts';
import { queries } from '../app/queries.ts';
import { QueryBoundary } from '../parts/query-boundary.tsx';

const LABELS: Record<string, string> = {
  target: 'Target',
  env: 'Environment',
  action_name: 'Params file (action name)',
  action: 'Action',
  is_tag: 'Image tag',
  options: 'Options',
  mam_main_query: 'MAM_MAIN_QUERY',
};
/** Chosen above the form. */
const CHOSEN = new Set(['target', 'env', 'action_name']);

type Props = {
  run: RunBody;
  onChange: (run: RunBody) => void;
  faults: readonly { readonly field: string; readonly message: string }[];
};

export function RunForm({ run, onChange, faults }: Props) {
  const document = useQuery(queries.document());
  return (
    <QueryBoundary query={document} what="API description">
      {({ components }) => {
        const schema = components.schemas['Run'];
        const fields = Object.entries(schema?.properties ?? {}).filter(([name]) => !CHOSEN.has(name));
        return fields.map(([name, field]) => {
          const isRequired = schema?.required?.includes(name) === true;
          const mayBeEmpty = field.pattern === undefined;
          const value = run[name as keyof RunBody] ?? '';
          return (
            <TextInput
              key={name}
              label={LABELS[name] ?? name}
              description={field.description}
              withAsterisk={isRequired && !mayBeEmpty}
              maxLength={field.maxLength}
              value={value}
              error={faults.find((fault) => fault.field === name)?.message}
              onChange={({ currentTarget }) => onChange(changed(run, name, currentTarget.value, isRequired))}
            />
          );
        });
      }}
    </QueryBoundary>
  );
}

/** Removes an optional field when it is emptied. */
function changed(run: RunBody, name: string, value: string, isRequired: boolean): RunBody {
  const all: Record<string, unknown> = { ...run, [name]: value };
  if (value === '' && !isRequired) delete all[name];
  return all as RunBody;
}
