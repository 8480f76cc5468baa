/** Masks credentials in the texts of a JSON text. Pure. */
import { FILTERED, maskCredentials } from '../../domain/mask.ts';

/** A string, behind which a colon and another string may stand: a name with a value of text. */
const STRINGS = /("[^"\\]*(?:\\.[^"\\]*)*")(\s*:\s*)?("[^"\\]*(?:\\.[^"\\]*)*")?/gs;

/** Everything but strings stays as it is: numbers keep all their digits. A name that announces a secret hides its text. */
export function maskJson(json: string): string {
  return json.replaceAll(STRINGS, (_, first: string, colon?: string, value?: string) => {
    if (colon === undefined) return masked(first) + (value === undefined ? '' : masked(value));
    if (value === undefined) return first + colon;
    const isSecret = maskCredentials(`${first}:"x"`) !== `${first}:"x"`;
    return first + colon + (isSecret && value !== '""' ? JSON.stringify(FILTERED) : masked(value));
  });
}

function masked(literal: string): string {
  const text = JSON.parse(literal) as string;
  const shown = maskCredentials(text);
  return shown === text ? literal : JSON.stringify(shown);
}
