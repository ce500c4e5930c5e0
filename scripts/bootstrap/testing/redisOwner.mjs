/** A process that has an embedded Redis and stays, until it is killed: `node redisOwner.mjs DATA_DIR`, forked. */
import { startRedis } from '../redis.mjs';

const redis = await startRedis({ dataDir: process.argv[2] });
process.send({ port: redis.port });
