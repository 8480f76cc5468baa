/**
 * A process of many listeners to `/events`, forked by events.ts: `<url> <token>,<token>… <count>`. It notes when it
 * heard of which report of which job, and sends its notes on request.
 */
import http from 'node:http';
import type { Heard } from './event-lag.ts';

const [url = '', tokens = '', count = '1'] = process.argv.slice(2);
// Reads a job's JSON only as far as its first step's newest report; parsing all of it would dominate this process'
// time.
const REPORTED = /^data: \{"id":(\d+),.*?"records_done":(\d+)/m;

const callers = tokens.split(',');
const heard = await Promise.all(
  Array.from({ length: Number(count) }, (_, n) => listen(callers[n % callers.length] ?? '')),
);
process.on('message', () => {
  process.send?.({ heard });
});
process.send?.('listening');

/** @returns the growing notes, once the server has confirmed the subscription */
async function listen(token: string): Promise<Heard[]> {
  const own: Heard[] = [];
  const agent = new http.Agent();
  const headers = { authorization: `Bearer ${token}` };
  await new Promise<void>((resolve, reject) => {
    const asked = http.get(`${url}/events`, { agent, headers }, (answer) => {
      let rest = '';
      answer.setEncoding('utf8');
      answer.on('data', (text: string) => {
        const at = Date.now();
        const frames = (rest + text).split('\n\n');
        rest = frames.pop() ?? '';
        for (const frame of frames) {
          if (frame.startsWith('event: ready')) resolve();
          const found = REPORTED.exec(frame);
          if (found) own.push({ job: Number(found[1]), done: Number(found[2]), at });
        }
      });
      answer.on('end', () => reject(new Error(`/events ended: ${answer.statusCode}`)));
    });
    asked.on('error', reject);
  });
  return own;
}
