/** Writes values that JSON lacks, in the form that Postgres gives them. */

/** NaN and infinities as text. */
export function jsonNumber(value: number): string {
  return Number.isFinite(value) ? JSON.stringify(value) : JSON.stringify(String(value));
}

/** `\x` and hexadecimal digits. */
export function jsonBytes(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  return `"\\\\x${hex}"`;
}
