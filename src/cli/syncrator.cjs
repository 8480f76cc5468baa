#!/usr/bin/env node
/** `syncrator` as npx starts it: says so when this Node is too old to read the rest. */
'use strict';
require('../needs-node.cjs');
void import('./main.ts');
