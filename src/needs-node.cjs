/** Ends a Node that is too old for what it is about to start, in one line: JavaScript that every Node can read. */
'use strict';

const NEEDED = 24;

if (Number(process.versions.node.split('.')[0]) < NEEDED) {
  process.stderr.write(
    `Syncrator needs Node ${NEEDED} or newer, and this is ${process.versions.node}. ` +
      'On Linux (x64) `npm ci` brings it, and npm and npx start it; elsewhere install it: https://nodejs.org\n',
  );
  process.exit(1);
}
