/** The first ids of a list, for the message of an error. Pure. */
const SHOWN = 5;
const MOST_LENGTH = 100;

/** `"r00001", "r00002", …` @param count of all that the message is about, if the list holds a sample of them */
export function firstIds(ids: readonly string[], count = ids.length): string {
  const first = ids.slice(0, SHOWN).map((id) => JSON.stringify(id.slice(0, MOST_LENGTH)));
  return `${first.join(', ')}${count > SHOWN ? ', …' : ''}`;
}
