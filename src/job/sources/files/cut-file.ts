/** A file is cut or corrupt; the message says how, and who throws it on names the file. */
export class CutFileError extends Error {
  override readonly name = 'CutFileError';
}
