/**
 * The alias through which a run writes to an index: one per run, so that a bulk request of an older run meets no alias
 * once a newer run has taken its place, however late it arrives.
 */
import { fenced } from '../generations/fence.ts';
import type { OpenSearch } from './alias.ts';
import { type AliasAction, changeAliases, describeIndex, type Index, removal } from './indexes.ts';

const TRIES = 10;

export function writeAlias(index: string, epoch: number): string {
  return `${prefixOf(index)}${epoch}`;
}

export function isWriteAlias(index: string, alias: string): boolean {
  return alias.startsWith(prefixOf(index));
}

function prefixOf(index: string): string {
  return `${index}-run-`;
}

/** Removes every write alias of an index that is no longer live. */
export function withoutWriters({ name, aliases }: Pick<Index, 'name' | 'aliases'>): AliasAction[] {
  return aliases.filter((alias) => isWriteAlias(name, alias)).map((alias) => removal(name, alias));
}

/** Makes this run the only one that can write to the index. @throws JobError `fenced` */
export async function takeWriteAlias(sink: OpenSearch, index: string): Promise<void> {
  const { client, store, alias } = sink;
  for (let tried = 0; tried < TRIES; tried += 1) {
    // Read before the aliases: a newer run takes the fence before it takes the write alias.
    const { epoch } = await store.read();
    const found = await describeIndex(client, index);
    if (!found) throw fenced(alias, `the index ${index} was removed`);
    const held = found.aliases.filter((one) => isWriteAlias(index, one));
    if (held.some((one) => Number(one.slice(prefixOf(index).length)) > epoch))
      throw fenced(alias, 'a newer run has opened it');
    const ours = writeAlias(index, epoch);
    const others = held.filter((one) => one !== ours);
    if (others.length === 0 && held.includes(ours)) return;
    const actions = [...others.map((one) => removal(index, one)), { add: { index, alias: ours } }];
    if (await changeAliases(client, actions)) return;
  }
  throw fenced(alias, 'other runs keep opening it');
}
