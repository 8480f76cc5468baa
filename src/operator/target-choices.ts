/** The choices for a new target. Imports nothing, since `--help` loads it. */
export const ACTIONS = ['sync', 'delta', 'delete', 'diff'] as const;
export type Action = (typeof ACTIONS)[number];

/** When one of the actions runs by itself. */
export type Timing = { readonly schedule: string; readonly timezone: string };

/** The time zone of this machine. */
export function zoneHere(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
