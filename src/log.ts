/** The logger: JSON lines on stdout, with what must never be logged cut out. */
import { type Logger, pino } from 'pino';

export type Log = Logger;

export function createLog(options: { name: string; level: string }): Log {
  return pino({
    name: options.name,
    level: options.level,
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: ['*.password', '*.token', '*.authorization', 'req.headers.authorization'],
  });
}
