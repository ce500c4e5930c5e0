/**
 * For tests only: a Redis with a prefix of its own, databases, campaigns in a folder, a clock that stands until it is moved.
 */

export { MariadbServer, mariadbObstacle } from './mariadbServer.js';
export { PostgresServer, postgresObstacle } from './postgresServer.js';
export { REDIRECT_TRICKS } from './redirectTricks.js';
export {
  MESSAGE_YAML,
  makeCampaignDir,
  makeCsv,
  makeSnapshot,
  type SampleCampaign,
} from './sampleCampaign.js';
export { shuffled } from './shuffled.js';
export { StubClock } from './stubClock.js';
export { findKeys, openTestRedis, removeKeys, type TestRedis } from './testRedis.js';
export { waitFor } from './waitFor.js';
