/** Valid and invalid cron expressions and time zones for params files, tried on our rules and on Temporal. */

export const ACCEPTED_CRONS = [
  '30 2 * * *',
  '0 2 * * 7',
  '0 2 * * 5-7',
  '*/15 6-22 * * MON-FRI',
  '0 2 * JAN-MAR *',
  '0 2 29 2 *',
  '0 3 1 * 1',
  '0 0 1-7 * 1',
  '0 2 */2 * 1-5',
  '*/2 * 28 * 0',
  '0 0 29 2 1',
  '5/20 0,12 * * *',
  '0 1-3 * * sunday',
  '*/30 * * * *',
  '0 0 * * *',
  '15,45 23 31 * *',
  '007 03 * * 0-7/2',
] as const;

export const REFUSED_CRONS = [
  '0 2 * * ?',
  '0 2 ? * *',
  '0 2 * * 5L',
  '0 2 15W * *',
  '0 2 LW * *',
  '0 2 1,L * *',
  '0 2 L * *',
  '0 2 * * 8',
  '0 2 * * FRI-SUN',
  '0 22-2 * * *',
  '0 24 * * *',
  '60 2 * * *',
  '0 2 0 * *',
  '0 2 32 * *',
  '0 2 * 13 *',
  '0 2 * * *,',
  '0 2 */0 * *',
  '0 2 1/ * *',
  '0 2 1/2/3 * *',
  '0 2 1-2-3 * *',
  '0 2 * * M',
  '0 2 * JA *',
] as const;

/** Temporal accepts these, but gives them another meaning than the usual one. */
export const MISREAD_CRONS = ['0 2 * * 1#2', '0 2 * * MON#1'] as const;

export const ACCEPTED_ZONES = [
  'UTC',
  'Europe/Brussels',
  'Asia/Kolkata',
  'Europe/Kyiv',
  'America/New_York',
  'US/Pacific',
  'Africa/Cairo',
  'America/Santiago',
  'Australia/Lord_Howe',
  'Etc/GMT+5',
  'EST5EDT',
] as const;

export const REFUSED_ZONES = [
  'utc',
  'europe/brussels',
  'Europe/brussels',
  'Asia/kolkata',
  '+02:00',
  '-0330',
  'US/Pacific-New',
  'Europe/Nowhere',
  '../UTC',
] as const;
