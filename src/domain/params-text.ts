/** The text of a params file as editors leave it: byte order marks, other encodings, invisible blanks. Pure. */

const MARK = '\ufeff';
/** Blanks and marks that look like a space, or like nothing. */
const UNSEEN = /[\u0085\u00a0\u00ad\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u2064\u3000\ufeff]/g;

/** @returns the text, or what is wrong with its bytes, and on which line */
export function decodeParams(bytes: Buffer): string | { readonly line: number; readonly fault: string } {
  if (isUtf16(bytes)) return { line: 1, fault: 'is UTF-16: save it as UTF-8' };
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const at = bytes.toString().indexOf('\ufffd');
    const line = bytes.toString().slice(0, at).split('\n').length;
    return { line, fault: 'is not UTF-8: save it as UTF-8' };
  }
}

/** UTF-16 with its mark, or without: every other byte of a params file's characters is then NUL. */
function isUtf16(bytes: Buffer): boolean {
  const start = bytes.subarray(0, 2).toString('hex');
  return start === 'fffe' || start === 'feff' || (bytes.length >= 2 && bytes[0] === 0) !== (bytes[1] === 0);
}

/** The byte order mark that some editors write first. */
export function withoutMark(text: string): string {
  return text.startsWith(MARK) ? text.slice(1) : text;
}

/** Shows invisible characters in a message: `ENV<U+00A0>`. */
export function visible(text: string): string {
  return text.replaceAll(
    UNSEEN,
    (char) => `<U+${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}>`,
  );
}
