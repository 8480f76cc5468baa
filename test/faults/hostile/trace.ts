/** A process' system calls by strace: the programs it ran, the files it opened, the addresses it called. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import path from 'node:path';

/** Files that may be opened once everything runs, with the reason. */
const FILES: readonly { readonly begins: RegExp; readonly because: string }[] = [
  {
    begins: /^\/proc\/self\/|^\/proc\/meminfo$|^\/sys\/fs\/cgroup\//,
    because: 'Node reads its own memory use',
  },
  {
    begins: /^\/etc\/(hosts|resolv\.conf|nsswitch\.conf|host\.conf|gai\.conf)$/,
    because: 'resolving names of servers',
  },
  {
    begins: /\/syncrator-faults-\w+\/input(\/archive)?$/,
    because: 'INPUT_DIR itself, to list it; it is empty',
  },
  { begins: /^\/.*\/node_modules\/swagger-ui-dist\//, because: '/docs is served from disk' },
];

export type Trace = {
  /** Command line that runs a program under it. */
  command(dir: string): readonly string[];
  /** Sets the mark: checks begin here. */
  mark(): void;
  /** Every forbidden call since the mark. */
  violations(of: { ports: readonly number[] }): { violations: string[]; opened: number; connected: number };
};

/** @throws Error that names the package, if strace is missing */
export function createTrace(): Trace {
  try {
    execFileSync('strace', ['--version'], { stdio: 'ignore' });
  } catch (cause) {
    throw new Error('strace is missing: apt-get install strace', { cause });
  }
  let file = '';
  let from = 0;
  return {
    command(dir) {
      file = path.join(dir, 'api.strace');
      const calls = 'execve,execveat,open,openat,openat2,creat,connect';
      return ['strace', '-f', '--seccomp-bpf', '-qq', '-s', '4096', '-e', `trace=${calls}`, '-o', file];
    },
    mark() {
      from = statSync(file).size;
    },
    violations({ ports }) {
      if (from === 0 || !readFileSync(file, 'utf8').includes('execve('))
        throw new Error('strace saw nothing');
      const violations: string[] = [];
      let opened = 0;
      let connected = 0;
      for (const line of rest(file, from).split('\n')) {
        const [, call = '', given = ''] = /^\d+\s+(\w+)\((.*)$/.exec(line) ?? [];
        if (call.startsWith('execve')) violations.push(`the api ran a program: ${line.slice(0, 300)}`);
        else if (call === 'connect') {
          connected += 1;
          const port = Number(/sin6?_port=htons\((\d+)\)/.exec(given)?.[1]);
          if (!given.includes('inet_addr("127.0.0.1")') || !ports.includes(port))
            violations.push(`the api called ${given.slice(0, 200)}`);
        } else if (call.startsWith('open') || call === 'creat') {
          opened += 1;
          const name = /"((?:[^"\\]|\\.)*)"/.exec(given)?.[1] ?? given;
          if (!FILES.some(({ begins }) => begins.test(name)))
            violations.push(`the api opened ${name.slice(0, 300)}`);
        }
      }
      return { violations: [...new Set(violations)], opened, connected };
    },
  };
}

function rest(file: string, from: number): string {
  const bytes = Buffer.alloc(statSync(file).size - from);
  const handle = openSync(file, 'r');
  readSync(handle, bytes, 0, bytes.length, from);
  closeSync(handle);
  return bytes.toString();
}
