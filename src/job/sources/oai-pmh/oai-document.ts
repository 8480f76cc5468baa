/**
 * Reads an answer of OAI-PMH as a stream and yields its elements one by one, so that a long page needs no memory. The
 * parser (saxes) checks that the document is well-formed, expands no entity of a DTD and loads nothing; a document
 * with a DTD is refused.
 */
import { SaxesParser, type SaxesTagNS } from 'saxes';
import { setImmediate } from 'node:timers/promises';
import { TextDecoder } from 'node:util';
import { HttpFault } from '../../http/http-fault.ts';
import { WEB_PAGE } from '../foreign-form.ts';
import { createElementBuilder, type ElementBuilder } from './element-builder.ts';
import type { XmlElement } from './xml-element.ts';

const OAI_NAMESPACE = 'http://www.openarchives.org/OAI/2.0/';
const MOST_BYTES = 128 * 1024 * 1024;

/** Verbs, whose children come as elements of their own. */
const CONTAINERS: ReadonlySet<string> = new Set(['Identify', 'ListRecords', 'ListIdentifiers', 'GetRecord']);

export type OaiElement = {
  /** The verb that contains the element; null for a child of the root, such as `error`. */
  readonly within: string | null;
  readonly element: XmlElement;
};

/** @throws HttpFault for a document that is truncated (a retry may help), malformed or none of OAI-PMH */
export async function* oaiElements(
  chunks: AsyncIterable<Uint8Array>,
  shownAs: string,
): AsyncGenerator<readonly OaiElement[]> {
  const reader = createReader((words) => refusal(shownAs, words));
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES)
      throw refusal(shownAs, 'sends a page of more than 128 MiB; ask it for smaller pages');
    // The parser blocks the event loop; yield here, so that the sink's sessions stay alive.
    await setImmediate();
    yield reader.read(decoded(decoder, chunk, shownAs));
  }
  if (reader.ended()) return;
  const words = `${shownAs}: the XML of its answer is truncated`;
  throw new HttpFault('bad_answer', words, { mayPass: true });
}

function decoded(decoder: TextDecoder, chunk: Uint8Array, shownAs: string): string {
  try {
    return decoder.decode(chunk, { stream: true });
  } catch (cause) {
    const words = `${shownAs} sends XML that is not UTF-8, which OAI-PMH requires`;
    throw new HttpFault('bad_answer', words, { cause });
  }
}

function refusal(shownAs: string, words: string): HttpFault {
  return new HttpFault('bad_answer', `${shownAs} ${words}`);
}

type Reader = {
  readonly read: (text: string) => OaiElement[];
  /** Whether the root's end tag has come. */
  readonly ended: () => boolean;
};

function createReader(refuse: (words: string) => Error): Reader {
  const parser = new SaxesParser({ xmlns: true });
  let found: OaiElement[] = [];
  let depth = 0;
  let ended = false;
  let within: string | null = null;
  let builder: ElementBuilder | null = null;

  function open(tag: SaxesTagNS): void {
    depth += 1;
    if (depth === 1) return checkRoot(tag, refuse);
    if (depth === 2 && CONTAINERS.has(tag.local) && tag.uri === OAI_NAMESPACE) {
      within = tag.local;
      found.push({ within: null, element: namedAlone(tag) });
      return;
    }
    builder ??= createElementBuilder();
    builder.open(tag);
  }

  function close(): void {
    depth -= 1;
    if (depth === 0) ended = true;
    const element = builder?.close() ?? null;
    if (element !== null) {
      found.push({ within, element });
      builder = null;
    }
    if (depth === 1) within = null;
  }

  parser.on('opentag', open);
  parser.on('closetag', close);
  parser.on('text', (text) => builder?.text(text));
  parser.on('cdata', (text) => builder?.text(text));
  parser.on('doctype', (words) => {
    throw refuse(
      /^\s*html\b/i.test(words) ? `answers ${WEB_PAGE}` : 'sends XML with a DTD, which is refused',
    );
  });
  parser.on('xmldecl', ({ encoding = 'utf-8' }) => {
    if (!/^(utf-?8|us-ascii)$/i.test(encoding))
      throw refuse(`sends XML in ${encoding.slice(0, 40)}; OAI-PMH requires UTF-8`);
  });
  parser.on('error', ({ message }) => {
    const spoiled = faultOfRecord(message);
    if (builder === null || spoiled === null) throw refuse(`sends XML that is not well-formed: ${message}`);
    builder.spoil(spoiled);
  });
  return {
    read(text) {
      parser.write(text);
      const elements = found;
      found = [];
      return elements;
    },
    ended: () => ended,
  };
}

/** Common mistakes of repositories that spoil one record, not the structure of the page; null for others. */
function faultOfRecord(message: string): string | null {
  if (message.endsWith('disallowed character.')) return 'it has a character that XML forbids; remove it';
  if (message.endsWith('undefined entity.'))
    return 'it has an entity that XML does not know, such as &nbsp;; write the character itself';
  return null;
}

function checkRoot({ local, uri }: SaxesTagNS, refuse: (words: string) => Error): void {
  if (local === 'OAI-PMH' && uri === OAI_NAMESPACE) return;
  if (local.toLowerCase() === 'html') throw refuse(`answers ${WEB_PAGE}`);
  const namespace = uri === '' ? 'without a namespace' : `in the namespace ${uri.slice(0, 100)}`;
  throw refuse(`answers XML of another kind: its root is ${local.slice(0, 100)} ${namespace}`);
}

function namedAlone({ local: name, uri: namespace }: SaxesTagNS): XmlElement {
  return { name, namespace, attributes: [], children: [], text: '', fault: null };
}
