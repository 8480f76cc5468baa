/** When a new target runs by itself. Imports nothing, since `--help` loads it. */

/** When one of the actions runs by itself. */
export type Timing = { readonly schedule: string; readonly timezone: string };

/** The time zone of this machine. */
export function zoneHere(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
