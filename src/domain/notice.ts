/** Something that somebody outside may want to be told: a turn in a job's life, or a schedule that was missed. Pure. */

export const NOTICE_EVENTS = ['started', 'completed', 'failed', 'deleted', 'freshness_missed'] as const;
export type NoticeEvent = (typeof NOTICE_EVENTS)[number];

export type Notice = {
  /** Grows; also what a receiver knows a repeated delivery by. */
  readonly id: number;
  readonly event: NoticeEvent;
  readonly env: string;
  readonly target: string;
  /** Null for freshness_missed. */
  readonly jobId: number | null;
  readonly schedule: string | null;
  /** When it happened, or should have; ISO 8601. */
  readonly at: string;
};
