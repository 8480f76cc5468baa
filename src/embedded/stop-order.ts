/** Ends the parts of a stack one after the other, and goes on when one refuses. */

export type Stage = { readonly name: string; readonly stop: () => Promise<void> };

/** Stops in the order given; an error is told and does not keep the rest running. */
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
