/** Recognises Git LFS pointers: https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md */
const POINTER = /^version https:\/\/git-lfs\.github\.com\/spec\/v1\r?\n/;
/** Pointers are shorter than this. */
const LONGEST = 1024;

export function isLfsPointer(text: string): boolean {
  return text.length <= LONGEST && POINTER.test(text);
}
