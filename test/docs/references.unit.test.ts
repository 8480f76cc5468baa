/** Every reference resolves inside the repository: links and anchors of Markdown, and files that comments name. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** Files that git tracks or would track, so without dependencies and builds. */
const FILES = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(path.join(ROOT, file)));
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8');
const exists = (file: string) => existsSync(path.join(ROOT, file));
const isOld = (file: string) => file === 'CHANGELOG.md' || file.startsWith('test/histories/');
const pages = FILES.filter((file) => file.endsWith('.md'));
const texts = FILES.filter(
  (file) => /\.(ts|tsx|cjs|sh|ya?ml|json|patch|md|css|html)$|Dockerfile|^\.ci\//.test(file) && !isOld(file),
);

/** Markdown without code, which contains no links. */
function prose(markdown: string): string {
  return markdown
    .replaceAll(/^\s*```[\s\S]*?^\s*```\s*$/gm, '')
    .replaceAll(/`[^`\n]*`/g, (code) => ' '.repeat(code.length));
}

/** Anchors as GitHub derives them from headings, and those of `<a id>`. */
function anchorsOf(file: string): Set<string> {
  const markdown = read(file);
  const headings = [...markdown.replaceAll(/^\s*```[\s\S]*?^\s*```\s*$/gm, '').matchAll(/^#+ (.+)$/gm)].map(
    ([, text = '']) =>
      text
        .trim()
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(/\s/g, '-'),
  );
  const seen = new Map<string, number>();
  const anchors = new Set([...markdown.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id));
  for (const heading of headings) {
    const before = seen.get(heading) ?? 0;
    anchors.add(before === 0 ? heading : `${heading}-${before}`);
    seen.set(heading, before + 1);
  }
  return anchors;
}

test('every relative link of a Markdown page leads to a file and a heading that exist', () => {
  const broken = pages.flatMap((page) =>
    [...prose(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
      if (/^[a-z]+:/.test(link)) return [];
      const [to = '', anchor] = link.split('#');
      const file = to === '' ? page : path.normalize(path.join(path.dirname(page), to));
      if (!exists(file)) return [`${page}: ${link}`];
      if (anchor !== undefined && file.endsWith('.md') && !anchorsOf(file).has(anchor))
        return [`${page}: ${link}`];
      return [];
    }),
  );
  expect(broken).toEqual([]);
});

test('every page of docs/ that a file names exists, and so does its row', () => {
  const broken = texts.flatMap((file) =>
    [...read(file).matchAll(/(?<![\w./-])docs\/[\w/-]+\.md(?:#([\w-]+)|,? row (\d+))?/g)].flatMap(
      ([whole, anchor, row]) => {
        const page = whole.replace(/(\.md).*$/s, '$1');
        if (!exists(page)) return [`${file}: ${page}`];
        const id = anchor ?? (row === undefined ? undefined : `row-${row}`);
        return id === undefined || anchorsOf(page).has(id) ? [] : [`${file}: ${whole}`];
      },
    ),
  );
  expect(broken).toEqual([]);
});

test('every file that a page of docs/ names in code exists', () => {
  const named = pages
    .filter(
      (page) =>
        !isOld(page) && (page === 'README.md' || page.startsWith('docs/') || page === 'CONTRIBUTING.md'),
    )
    .flatMap((page) =>
      [...read(page).matchAll(/`((?:src|test|tools|activities|workflows|deploy|bench)\/[\w./-]+)`/g)].map(
        ([, file = '']) => ({ page, file }),
      ),
    );
  const absent = named.filter(({ file }) => !exists(file));
  expect(absent).toEqual([]);
});

/** Documents outside the repository, which a clone does not contain. */
const OUTSIDE =
  /(?<!docs\/)\b(?:design|faults|data-path|style|libraries|predecessors|peers|review)\.md\b|(?<!\w)notes\/[\w-]+\.md|\.\.\/shared\//;

test('no file cites a document that is not in the repository', () => {
  // A test above checks relative links of pages.
  const citing = texts.filter(
    (file) => !file.startsWith('test/docs/') && OUTSIDE.test(read(file).replaceAll(/\]\([^)]*\)/g, ']')),
  );
  expect(citing).toEqual([]);
});
