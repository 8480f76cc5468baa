/** Recognises other formats than NDJSON by their first bytes, for a helpful error. */
export const WEB_PAGE = 'a web page instead of records; check whether the address needs a login';

const BY_FIRST_BYTES: readonly (readonly [readonly number[], string])[] = [
  [[0x1f, 0x8b], 'a gzip archive; unpack it first'],
  [[0x50, 0x4b, 0x03, 0x04], 'a zip archive; unpack it first'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'a zstd archive; unpack it first'],
  [[0xff, 0xfe], 'UTF-16; convert it to UTF-8'],
  [[0xfe, 0xff], 'UTF-16; convert it to UTF-8'],
];

/** The name of the format; null if the bytes may be NDJSON. */
export function foreignForm(first: Uint8Array): string | null {
  for (const [signature, name] of BY_FIRST_BYTES) {
    if (signature.every((byte, at) => first[at] === byte)) return name;
  }
  // UTF-16 without a byte order mark has zero bytes in its ASCII characters.
  if (first[0] === 0 || first[1] === 0) return 'UTF-16; convert it to UTF-8';
  const begin = Buffer.from(first.subarray(0, 512))
    .toString('latin1')
    .replace(/^\xEF\xBB\xBF/, '')
    .trimStart();
  if (begin.startsWith('[')) return 'a JSON array; write one object per line instead';
  return begin.startsWith('<') ? WEB_PAGE : null;
}

/** Passes the chunks on. @throws the error of `refuse` if the first chunk has another format */
export async function* withForm(
  chunks: AsyncIterable<Uint8Array>,
  refuse: (form: string) => Error,
): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const chunk of chunks) {
    const form = isFirst && chunk.length > 0 ? foreignForm(chunk) : null;
    if (form !== null) throw refuse(form);
    if (chunk.length > 0) isFirst = false;
    yield chunk;
  }
}
