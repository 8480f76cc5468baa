/** Imported first by the worker: V8 then prefers a small heap to a fast one. What takes a worker's time is elsewhere. */
import v8 from 'node:v8';

v8.setFlagsFromString('--optimize-for-size');
v8.setFlagsFromString('--max-semi-space-size=4');
