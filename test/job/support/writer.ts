/** The identity of a run that a test makes. */
import { newRun, type Writer } from '../../../src/job/sinks/writer.ts';

/** A first attempt of a sync that no job began, but for the given parts. */
export function writerOf(of: Partial<Writer>): Writer {
  return {
    installation: null,
    env: null,
    target: null,
    jobId: null,
    jobUid: null,
    originUid: of.jobUid ?? null,
    step: 0,
    attempt: 1,
    action: 'sync',
    run: newRun(),
    ...of,
  };
}
