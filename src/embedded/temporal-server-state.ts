/** Stores pid and ports of the Temporal dev server of a data folder. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

const schema = z.object({
  pid: z.number().int().positive(),
  startTime: z.string(),
  port: z.number().int(),
  uiPort: z.number().int(),
});

export type TemporalServerState = z.infer<typeof schema>;

/** Undefined without a file. @throws Error when the file is damaged, since its server may still run */
export function readTemporalState(file: string): TemporalServerState | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new Error(
      `${file} is damaged: make sure that no temporal server runs on this folder, then delete the file`,
      {
        cause,
      },
    );
  }
}

export function writeTemporalState(file: string, state: TemporalServerState): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(state)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}
