/** Whether the data in Redis are those that were there before, and what is done when they are older. */
export { Continuity, type Hold, readHold, releaseHold } from './continuity.js';
export { bringUpToDate, SCHEMA } from './schema.js';
export { skipForgotten } from './skipForgotten.js';
