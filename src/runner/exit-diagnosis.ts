/** Explains exit codes of the program (src/domain/exit-code.ts) to operators, and what to do. Pure. */
import { DISRUPTED } from '../domain/resume-point.ts';
import { EXIT } from '../domain/exit-code.ts';
import { firstWhole } from '../domain/mask.ts';
import { cut, type Diagnosis, type StepOutcome } from '../domain/outcome.ts';
import type { LastReport } from './runner.ts';

export type Meaning = Omit<Diagnosis, 'detail'>;

const MEANINGS: Readonly<Record<number, Meaning>> = {
  [EXIT.usage]: {
    code: 'usage',
    summary: 'The program rejected its arguments; nothing was changed.',
    what_to_do: 'Correct OPTIONS in the params file or the request.',
  },
  [EXIT.deleteGuard]: {
    code: 'delete_guard',
    summary:
      'The delete guard stopped the job: it would have deleted too many records. The data are unchanged.',
    what_to_do:
      'Check the source. If the deletions are intended, start the job again with --force-delete (needs the right ' +
      'force-delete), or raise MAX_DELETE_PERCENT or MAX_DELETE_RECORDS in the params file. An empty source is never accepted.',
  },
  [EXIT.notConfigured]: {
    code: 'not_configured',
    summary: 'Settings of source or sink are missing or invalid; nothing was changed.',
    what_to_do: 'Set the settings that the detail names, then start the job again.',
  },
  [EXIT.refused]: {
    code: 'refused',
    summary: "The api rejected the program's report, so the program stopped.",
    what_to_do: 'Nothing, if the job was cancelled or taken over; else start the job again.',
  },
  [EXIT.fenced]: {
    code: 'fenced',
    summary:
      'A newer run has claimed the sink, so this run stopped. Changes that it had not applied yet were discarded.',
    what_to_do: 'Nothing: the newer run replaces this one.',
  },
  [EXIT.nothingToRollBack]: {
    code: 'nothing_to_roll_back',
    summary: 'The changes to undo are not stored, so nothing was undone. The data are unchanged.',
    what_to_do:
      'Choose a later job to roll back. Changes are stored for KEEP_CHANGES (30 days); a rollback cannot pass ' +
      "a target's first sync, a take-over, or a table that was emptied or replaced from outside.",
  },
  [EXIT.sourceUnreachable]: {
    code: 'source_unreachable',
    summary: 'The source cannot be reached.',
    what_to_do:
      "Check the source's address in the settings, and that the source is running; then start the job again.",
  },
  [EXIT.sourceTimeout]: {
    code: 'source_timeout',
    summary: 'The source did not answer in time.',
    what_to_do: 'Find the cause of the load on the source, then start the job again.',
  },
  [EXIT.sourceUnauthorized]: {
    code: 'source_unauthorized',
    summary: 'The source rejected our credentials.',
    what_to_do: 'Correct the token, or user and password, in the settings; then start the job again.',
  },
  [EXIT.itemsFailed]: {
    code: 'items_failed',
    summary: 'Some items failed after all retries; all others are done.',
    what_to_do: 'Fix the cause, then resume the job: it repeats only the failed items.',
  },
  [EXIT.incompleteListing]: {
    code: 'incomplete_listing',
    summary: 'The listing of the source is not proven complete, so nothing was changed or deleted.',
    what_to_do:
      'Find out why the source reports no total, or a total that differs from its listing. For SOURCE_FILE: end the file ' +
      'with the line {"end":true,"total":N}, or set SOURCE_FILE_COMPLETE=true if its writer renames it into place.',
  },
  [EXIT.sinkUnreachable]: {
    code: 'sink_unreachable',
    summary: 'The sink cannot be reached.',
    what_to_do: 'Check SINK_URL in the settings, and that the sink is running; then start the job again.',
  },
  [EXIT.sinkReadOnly]: {
    code: 'sink_read_only',
    summary: 'The sink rejects writes: it is a standby or in read-only mode.',
    what_to_do: 'Set SINK_URL to the primary, or end the read-only mode; then start the job again.',
  },
  [EXIT.sinkPermission]: {
    code: 'sink_permission',
    summary: 'The role of SINK_URL lacks a privilege in the sink; nothing was changed.',
    what_to_do:
      'Run the statement in the detail as the owner of the table or database, then start the job again.',
  },
  [EXIT.sinkBusy]: {
    code: 'sink_busy',
    summary: 'Another session blocked the writes of the job for longer than the limit; nothing was changed.',
    what_to_do: 'End the session that the detail names, or wait for it; then start the job again.',
  },
  [EXIT.sinkOwned]: {
    code: 'sink_owned',
    summary: 'The sink belongs to another installation, target or environment; nothing was changed.',
    what_to_do:
      'Correct SINK_URL or SINK_TABLE if two targets write to one table. If the other owner is retired, an admin takes ' +
      'the sink over: syncrator sink take-over <target> <env>.',
  },
  [EXIT.sinkReplaced]: {
    code: 'sink_replaced',
    summary:
      "The sink's table is not the one written last: it was dropped or replaced from outside. Nothing was changed.",
    what_to_do:
      'Restore the former table, or, if the new one is intended, have an admin take it over: syncrator sink take-over ' +
      '<target> <env>; then run a sync. A rollback cannot pass the take-over.',
  },
  [EXIT.sinkAlters]: {
    code: 'sink_alters',
    summary: 'A trigger or rule of the table alters the written rows; nothing was changed.',
    what_to_do:
      'Remove id, updated_at and record from the trigger that the detail names; it may fill other columns of the table.',
  },
  [EXIT.recordsRejected]: {
    code: 'records_rejected',
    summary: 'More records are invalid than MAX_REJECTED allows; nothing was changed.',
    what_to_do:
      'Fix the records that the job lists in the source. To skip that many records, raise MAX_REJECTED in the settings.',
  },
  [EXIT.updateGuard]: {
    code: 'update_guard',
    summary:
      'The update guard stopped the job: it would have changed too many records. The data are unchanged.',
    what_to_do:
      'Check the source. If the changes are intended, raise MAX_UPDATE_PERCENT in the params file for this run.',
  },
  [EXIT.previewChanged]: {
    code: 'preview_changed',
    summary: 'The rollback differs from its preview; nothing was changed.',
    what_to_do: 'Preview the rollback again, and start it with the new digest if the preview is as intended.',
  },
  [EXIT.planStale]: {
    code: 'plan_stale',
    summary: 'The plan no longer holds; nothing was changed.',
    what_to_do: 'Make a new plan, and apply it with its digest if it is as intended.',
  },
  [EXIT.unusualJump]: {
    code: 'unusual_jump',
    summary:
      'The job would have added or updated far more records than its earlier runs; nothing was changed.',
    what_to_do:
      'Check the source. If the changes are intended, start the job again with the option --accept-jump.',
  },
};

/** Bytes of a log's end that Kubernetes keeps as termination message. */
export const END_BYTES = 2048;

type Exited = {
  /** End of the log, quoted when the program reported no message. */
  readonly logEnd?: string | undefined;
  /** Ignores our meanings of exit codes, unless the program has sent a report. */
  readonly ownExitCodes?: boolean | undefined;
};

/** 143 is SIGTERM. A cancel of ours is never explained here, so another party sent it. */
export function explainExit(
  exitCode: number,
  report: LastReport,
  { logEnd, ownExitCodes = false }: Exited = {},
): StepOutcome {
  if (exitCode === EXIT.ok) return { kind: 'completed' };
  const keepsContract = !ownExitCodes || report !== undefined;
  if (exitCode === EXIT.terminated && keepsContract)
    return disrupted('The program was ended by SIGTERM, which Syncrator did not send.', report);
  const meaning = (keepsContract ? MEANINGS[exitCode] : undefined) ?? byNumber(exitCode);
  const message = report?.message ?? (logEnd === undefined ? undefined : wholeEnd(logEnd));
  return failed(meaning, message ?? reportedText(report) ?? `exit code ${exitCode}`);
}

/** Drops the first, cut word of a log end that fills END_BYTES: it may be part of a secret. */
export function wholeEnd(logEnd: string): string {
  return Buffer.byteLength(logEnd) < END_BYTES ? logEnd : logEnd.slice(firstWhole(logEnd.trimEnd()));
}

/** Describes only the number, since other programs give it meanings of their own. */
function byNumber(exitCode: number): Meaning {
  const convention = SHELL[exitCode] ?? (exitCode > 128 ? `ended by signal ${exitCode - 128}` : undefined);
  return {
    code: 'exit_code',
    summary: `The program ended with exit code ${exitCode}${convention === undefined ? '' : ` (by shell convention: ${convention})`}.`,
    what_to_do: 'Read the end of the log, fix the cause, and start the job again.',
  };
}

/** https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_08_02 */
const SHELL: Readonly<Record<number, string>> = {
  126: 'the command could not be executed',
  127: 'the command was not found',
  137: 'ended by SIGKILL',
  139: 'ended by SIGSEGV',
  143: 'ended by SIGTERM',
};

export function failed(meaning: Meaning, detail: string): StepOutcome {
  return { kind: 'failed', diagnosis: diagnosis(meaning, detail) };
}

export function disrupted(summary: string, report: LastReport): StepOutcome {
  return { kind: 'failed', diagnosis: disruption(summary, lastReportText(report)) };
}

export function diagnosis(meaning: Meaning, detail: string): Diagnosis {
  return {
    code: meaning.code,
    summary: meaning.summary,
    detail: cut(detail),
    what_to_do: meaning.what_to_do,
  };
}

/** Diagnosis of a step ended from outside; the setting RETRIES repeats such steps. */
export function disruption(summary: string, detail: string, first = ''): Diagnosis {
  const again = 'Start the job again, or set RETRIES in the params file so that this happens automatically.';
  return diagnosis({ code: DISRUPTED, summary, what_to_do: first ? `${first} ${again}` : again }, detail);
}

/** The program's last report as text for a detail, never empty. */
export function lastReportText(report: LastReport): string {
  return reportedText(report) ?? 'The program sent no report.';
}

/** The program's own message, else the phase it was in. */
function reportedText(report: LastReport): string | undefined {
  if (!report) return undefined;
  return report.message ?? `The program's last report was from phase '${report.phase}'.`;
}
