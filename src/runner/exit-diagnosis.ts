/** What an exit code of the program means (src/domain/exit-code.ts), in words an operator can act on. Pure. */
import { DISRUPTED } from '../domain/claimed-job.ts';
import { EXIT } from '../domain/exit-code.ts';
import { cut, type Diagnosis, type StepOutcome } from '../domain/outcome.ts';
import type { LastWords } from './runner.ts';

export type Meaning = Omit<Diagnosis, 'detail'>;

const MEANINGS: Readonly<Record<number, Meaning>> = {
  [EXIT.usage]: {
    code: 'usage',
    summary: 'The program refused its arguments; nothing was touched.',
    what_to_do: 'Correct OPTIONS in the params file or the request.',
  },
  [EXIT.deleteGuard]: {
    code: 'delete_guard',
    summary: 'The delete guard refused: too many records would have disappeared. The data are as before.',
    what_to_do:
      'Check the source. If the loss is meant, run it again with --force-delete; an empty source is never accepted.',
  },
  [EXIT.notConfigured]: {
    code: 'not_configured',
    summary: 'Settings of source or sink are missing or unusable; nothing was touched.',
    what_to_do: 'Add the settings that the detail names, then start the job again.',
  },
  [EXIT.refused]: {
    code: 'refused',
    summary: 'The program was told that it must not run any more, and stopped.',
    what_to_do: 'Nothing, when the job was cancelled or taken over; else start it again.',
  },
  [EXIT.fenced]: {
    code: 'fenced',
    summary: 'A newer job has written to the same sink, so this one stopped.',
    what_to_do: 'Nothing: the newer job is the one that counts.',
  },
  [EXIT.nothingToRollBack]: {
    code: 'nothing_to_roll_back',
    summary: 'There is no earlier generation of the data to go back to.',
    what_to_do: 'Run a sync; the one before it is kept from then on.',
  },
  [EXIT.sourceUnreachable]: {
    code: 'source_unreachable',
    summary: 'The source cannot be reached.',
    what_to_do: "Check the source's address in the settings, and whether it is up; then start the job again.",
  },
  [EXIT.sourceTimeout]: {
    code: 'source_timeout',
    summary: 'The source did not answer in time.',
    what_to_do: 'See what keeps the source busy, then start the job again.',
  },
  [EXIT.sourceUnauthorized]: {
    code: 'source_unauthorized',
    summary: 'The source refused our credentials.',
    what_to_do: 'Correct the token, or user and password, in the settings; then start the job again.',
  },
  [EXIT.itemsFailed]: {
    code: 'items_failed',
    summary: 'Some items failed after all their tries; all others are done.',
    what_to_do: 'Resume the job when the cause is mended: it does the failed items alone.',
  },
};

/**
 * 143 is SIGTERM: not our cancel, or we would not ask, so somebody else's disruption. `logEnd` speaks for a program
 * that reported no message.
 */
export function explainExit(exitCode: number, words: LastWords, logEnd?: string): StepOutcome {
  if (exitCode === EXIT.ok) return { kind: 'completed' };
  if (exitCode === EXIT.terminated)
    return disrupted('The program was told to end (SIGTERM) by somebody else.', words);
  const meaning = MEANINGS[exitCode] ?? {
    code: 'exit_code',
    summary: `The program ended with exit code ${exitCode}.`,
    what_to_do: 'Read the end of the log; start the job again when the cause is mended.',
  };
  return failed(meaning, words?.message ?? logEnd ?? lastWords(words) ?? `exit code ${exitCode}`);
}

export function failed(meaning: Meaning, detail: string): StepOutcome {
  return { kind: 'failed', diagnosis: diagnosis(meaning, detail) };
}

export function disrupted(summary: string, words: LastWords): StepOutcome {
  return { kind: 'failed', diagnosis: disruption(summary, heard(words)) };
}

export function diagnosis(meaning: Meaning, detail: string): Diagnosis {
  return {
    code: meaning.code,
    summary: meaning.summary,
    detail: cut(detail),
    what_to_do: meaning.what_to_do,
  };
}

/** Ended from outside and through no fault of its own: what RETRIES is for. */
export function disruption(summary: string, detail: string, first = ''): Diagnosis {
  const again = 'Start the job again; RETRIES in the params file does so by itself.';
  return diagnosis({ code: DISRUPTED, summary, what_to_do: first ? `${first} ${again}` : again }, detail);
}

/** For a detail that must say something. */
export function heard(words: LastWords): string {
  return lastWords(words) ?? 'It had not reported anything.';
}

/** The program's own message, else the phase it was in. */
function lastWords(words: LastWords): string | undefined {
  if (!words) return undefined;
  return words.message ?? `It was last heard of in phase '${words.phase}'.`;
}
