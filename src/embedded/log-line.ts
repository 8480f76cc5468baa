/** Selects the lines of a child's output that the console shows: warnings and errors. */

const PINO_WARN = 40;
/** Matches alarming lines of libraries that do not use our logger; other lines are shown only after a crash. */
const ALARMING = /\b(?:warn(?:ing)?|error|fatal)\b/i;

/** Formats the line, or returns undefined if it belongs only in the log file. */
export function worthShowing(line: string, stream: 'stdout' | 'stderr'): string | undefined {
  const entry = parse(line);
  if (entry === undefined) return stream === 'stderr' && ALARMING.test(line) ? line : undefined;
  if (entry.level < PINO_WARN) return undefined;
  const level = entry.level >= 50 ? 'error' : 'warning';
  return `${level}: ${[entry.msg, entry.err].filter((text) => text !== undefined && text !== '').join(': ')}`;
}

/** Formats any line, for the message of a failed start. */
export function readable(line: string): string {
  const entry = parse(line);
  return entry === undefined ? line : [entry.msg, entry.err].filter(Boolean).join(': ');
}

function parse(line: string): { level: number; msg?: string; err?: string } | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const { level, msg, err } = JSON.parse(line) as {
      level?: unknown;
      msg?: unknown;
      err?: { message?: unknown };
    };
    if (typeof level !== 'number') return undefined;
    const cause = err?.message;
    return {
      level,
      ...(typeof msg === 'string' ? { msg } : {}),
      ...(typeof cause === 'string' && cause !== msg ? { err: cause } : {}),
    };
  } catch {
    return undefined; // not JSON after all
  }
}
