/** Warnings of a job, including one that completed. */
import { Alert, List } from '@mantine/core';

export function Warnings({ warnings }: { warnings: readonly string[] }) {
  if (warnings.length === 0) return null;
  return (
    <Alert
      color="yellow"
      mb="sm"
      title={warnings.length === 1 ? 'Warning' : `${warnings.length} warnings`}
      role="alert"
    >
      {warnings.length === 1 ? (
        <span className="as-written">{warnings[0]}</span>
      ) : (
        <List size="sm" className="as-written">
          {warnings.map((warning) => (
            <List.Item key={warning}>{warning}</List.Item>
          ))}
        </List>
      )}
    </Alert>
  );
}
