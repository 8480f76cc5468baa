/** An event that receivers outside may want to hear of: a change of a job's status, a missed firing, or a loss. Pure. */

export const NOTICE_EVENTS = [
  'started',
  'completed',
  'failed',
  'deleted',
  'freshness_missed',
  'losses_waiting',
] as const;
export type NoticeEvent = (typeof NOTICE_EVENTS)[number];

export type Notice = {
  /** Grows; receivers recognise a repeated delivery by it. */
  readonly id: number;
  readonly event: NoticeEvent;
  readonly env: string;
  readonly target: string;
  /** Null for freshness_missed. */
  readonly jobId: number | null;
  readonly schedule: string | null;
  /** Of losses_waiting; absent in notices of an earlier version. */
  readonly lossId?: number | null;
  /** When it happened or should have happened; ISO 8601. */
  readonly at: string;
};
