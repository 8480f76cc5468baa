/** Every fault program, in the order of the table in docs/faults.md. */
import type { Program } from '../program.ts';
import { access } from './access.ts';
import { cancelAnywhere } from './cancel-anywhere.ts';
import { exclusion } from './exclusion.ts';
import { fuzz } from './fuzz.ts';
import { hostile } from './hostile.ts';
import { killStorm } from './kill-storm.ts';
import { lostAnswers } from './lost-answers.ts';
import { lyingSource } from './lying-source.ts';
import { mutations } from './mutations.ts';
import { outagesDown, outagesStopped } from './outages.ts';
import { podFaults } from './pod-faults.ts';
import { sinkKill } from './sink-kill.ts';
import { upgrade } from './upgrade.ts';

export const PROGRAMS: readonly Program[] = [
  fuzz,
  killStorm,
  lostAnswers,
  cancelAnywhere,
  exclusion,
  podFaults,
  outagesDown,
  outagesStopped,
  upgrade,
  mutations,
  access,
  hostile,
  lyingSource,
  sinkKill,
];
