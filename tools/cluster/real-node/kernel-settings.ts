/** Saves the kernel settings that kubelet and network change, and restores them afterwards. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { KEPT_SETTINGS } from './places.ts';

const SETTINGS = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
  'net/ipv4/ip_forward',
];

const fileOf = (setting: string) => `/proc/sys/${setting}`;

/** Saves once: after a killed node, the values from before it are still stored. */
export function keepKernelSettings(): void {
  if (existsSync(KEPT_SETTINGS)) return;
  const kept = SETTINGS.filter((setting) => existsSync(fileOf(setting))).map((setting) => [
    setting,
    readFileSync(fileOf(setting), 'utf8').trim(),
  ]);
  writeFileSync(KEPT_SETTINGS, JSON.stringify(Object.fromEntries(kept)));
}

/** Safe to repeat. */
export function restoreKernelSettings(): void {
  if (!existsSync(KEPT_SETTINGS)) return;
  const kept = JSON.parse(readFileSync(KEPT_SETTINGS, 'utf8')) as Record<string, string>;
  for (const [setting, value] of Object.entries(kept))
    if (readFileSync(fileOf(setting), 'utf8').trim() !== value) writeFileSync(fileOf(setting), value);
}
