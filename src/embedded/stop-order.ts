/** Stops the parts of a stack one after another, also after a failure. */

export type Stage = { readonly name: string; readonly stop: () => Promise<void> };

/** Stops the stages in order; reports errors and continues. @returns true if all stopped */
export async function stopInOrder(stages: readonly Stage[], say: (line: string) => void): Promise<boolean> {
  let clean = true;
  for (const { name, stop } of stages) {
    try {
      await stop();
      say(`${name} stopped`);
    } catch (error) {
      clean = false;
      say(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return clean;
}
