/** Reads a time that a file or connector holds as text. One without a zone counts as UTC. Pure. */

const TIME = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(:\d\d(?:\.\d{1,9})?)?)?(?: ?(Z|[+-]\d\d)(?::?(\d\d))?)?$/i;

/** ISO 8601 with a zone, of which the check of records decides whether it exists; null for other texts. */
export function timeOf(text: string): string | null {
  const [, date, minutes = '00:00', seconds = ':00', zone = 'Z', more = '00'] = TIME.exec(text.trim()) ?? [];
  if (date === undefined) return null;
  const isUtc = zone === 'Z' || zone === 'z' || (zone === '+00' && more === '00');
  return `${date}T${minutes}${seconds}${isUtc ? 'Z' : `${zone}:${more}`}`;
}
