/** Retention times as people write them: `36h`, `90d`, `8w`, `2y`. Pure. */

/** Seconds that logs and jobs are kept after the job's end; undefined: for ever. */
export type Retention = {
  readonly logsSeconds: number | undefined;
  readonly jobsSeconds: number | undefined;
};

const SECONDS = { h: 3600, d: 86_400, w: 7 * 86_400, y: 365 * 86_400 };

export const AGE_WORDS = 'must be a number of hours, days, weeks or years, such as 36h, 90d, 8w or 2y';

/** Seconds; undefined unless the text is an age of an hour or more. */
export function parseAge(text: string): number | undefined {
  const [, number, unit] = /^([1-9]\d{0,4})([hdwy])$/.exec(text) ?? [];
  return number === undefined ? undefined : Number(number) * SECONDS[unit as keyof typeof SECONDS];
}
