/** Remembers which Temporal dev server runs on a data folder, and on which ports the last one ran. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

const schema = z.object({
  pid: z.number().int().positive(),
  startTime: z.string(),
  port: z.number().int(),
  uiPort: z.number().int(),
});

export type TemporalServerState = z.infer<typeof schema>;

/** Undefined when there is no file; a file that is not ours is an error, since a server may hang on it. */
export function readTemporalState(file: string): TemporalServerState | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new Error(`${file} is damaged: see that no temporal server runs on this folder, then delete it`, {
      cause,
    });
  }
}

export function writeTemporalState(file: string, state: TemporalServerState): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}
