/** Builds one element with all that it contains, up to limits: beyond them it drops the content and notes a fault. */
import type { SaxesTagNS } from 'saxes';
import type { XmlAttribute, XmlElement } from './xml-element.ts';

/** JSON needs two levels for each of XML, and a record may have 100. */
const MOST_DEPTH = 100;
const MOST_LENGTH = 16 * 1024 * 1024;
/** The memory of an element or attribute beside its text, in bytes. */
const COST = 32;

const XMLNS = 'http://www.w3.org/2000/xmlns/';
const XSI = 'http://www.w3.org/2001/XMLSchema-instance';

type Growing = XmlElement & { children: Growing[]; text: string; fault: string | null };

export type ElementBuilder = {
  readonly open: (tag: SaxesTagNS) => void;
  readonly text: (text: string) => void;
  /** @returns the whole element once its own end tag closes it; else null */
  readonly close: () => XmlElement | null;
  /** Notes in all open elements that their content is not usable. */
  readonly spoil: (why: string) => void;
};

export function createElementBuilder(): ElementBuilder {
  const line: Growing[] = [];
  let top: Growing | null = null;
  let depth = 0;
  let length = 0;

  function spoil(why: string): void {
    for (const element of line) element.fault ??= why;
  }

  /** Whether the content still counts. The header of a record comes first, so it is known even then. */
  function fits(more: number): boolean {
    length += more;
    if (length > MOST_LENGTH) spoil('it is longer than 16 MiB');
    if (depth > MOST_DEPTH) spoil(`it is nested more than ${MOST_DEPTH} levels deep`);
    return length <= MOST_LENGTH && depth <= MOST_DEPTH;
  }

  return {
    spoil,
    open(tag) {
      depth += 1;
      const attributes = attributesOf(tag);
      const size = attributes.reduce((sum, { value }) => sum + value.length + COST, COST);
      if (!fits(size)) return;
      const { local: name, uri: namespace } = tag;
      const element: Growing = { name, namespace, attributes, children: [], text: '', fault: null };
      line.at(-1)?.children.push(element);
      line.push(element);
      top ??= element;
    },
    text(text) {
      if (!fits(text.length)) return;
      const element = line.at(-1);
      if (element) element.text += text;
    },
    close() {
      if (line.length === depth) line.pop();
      depth -= 1;
      return depth === 0 ? top : null;
    },
  };
}

function attributesOf({ attributes }: SaxesTagNS): XmlAttribute[] {
  return Object.values(attributes)
    .filter(({ uri }) => uri !== XMLNS && uri !== XSI)
    .map(({ local: name, prefix, value }) => ({ name, prefix, value }));
}
