/** Minimal DNS server over UDP: answers A queries for the given names, and NXDOMAIN for all others. */
import dgram from 'node:dgram';
import { once } from 'node:events';

const PORT = 53;
const HEADER = 12;
const TYPE_A = 1;
const TTL_SECONDS = 5;
/** Flags of an authoritative answer to a recursive query. */
const FLAGS = 0x8580;
const NO_SUCH_NAME = 3;

export type Names = { close(): Promise<void> };

/** @param addressOf returns the IPv4 address of a full name in lower case */
export async function answerNames(
  host: string,
  addressOf: (name: string) => string | undefined,
): Promise<Names> {
  const socket = dgram.createSocket('udp4');
  socket.on('message', (query, asker) => {
    const asked = questionOf(query);
    if (asked !== undefined)
      socket.send(answer(query, asked, addressOf(asked.name)), asker.port, asker.address);
  });
  socket.bind(PORT, host);
  await once(socket, 'listening');
  return {
    async close() {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    },
  };
}

type Question = { readonly name: string; readonly type: number; readonly end: number };

/** Undefined for an invalid query, such as a truncated packet. */
function questionOf(query: Buffer): Question | undefined {
  const labels: string[] = [];
  let at = HEADER;
  for (let length = query[at]; length !== undefined && length > 0; length = query[at]) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const end = at + 5; // the empty label, type and class
  if (end > query.length) return undefined;
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end };
}

function answer(query: Buffer, asked: Question, address: string | undefined): Buffer {
  const found = address !== undefined && asked.type === TYPE_A;
  const header = Buffer.alloc(HEADER);
  query.copy(header, 0, 0, 2); // its number
  header.writeUInt16BE(address === undefined ? FLAGS | NO_SUCH_NAME : FLAGS, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(found ? 1 : 0, 6);
  const question = query.subarray(HEADER, asked.end);
  if (!found) return Buffer.concat([header, question]);
  const record = Buffer.alloc(16);
  record.writeUInt16BE(0xc0_00 | HEADER, 0); // of the name in the question
  record.writeUInt16BE(TYPE_A, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt32BE(TTL_SECONDS, 6);
  record.writeUInt16BE(4, 10);
  record.set(address.split('.').map(Number), 12);
  return Buffer.concat([header, question, record]);
}
