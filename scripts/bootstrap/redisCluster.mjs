/**
 * A Redis Cluster of servers of our own, for tests and benchmarks: masters, and replicas if there are to be some, on private
 * ports and folders, each as durable as a single one (redis.mjs). Nodes may be killed and started again on their data; when a
 * replica has taken over, who is master is the cluster's to say, so that is asked for and not remembered.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BootstrapError } from './common.mjs';
import { orphanedDirs, temporaryDir } from './dataDirs.mjs';
import { freePort, startRedis } from './redis.mjs';
import { ask } from './resp.mjs';

const SLOTS = 16_384;
const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 20;

/** In a folder that goes with it. */
export async function startTemporaryCluster(name, options = {}) {
  for (const dir of orphanedDirs()) rmSync(dir, { recursive: true, force: true });
  return startRedisCluster({ ...options, dataDir: temporaryDir(name), isTemporary: true });
}

/** The options are described in redisCluster.d.mts. */
export async function startRedisCluster({
  dataDir,
  masters = 3,
  replicas = 0,
  nodeTimeoutMs = 15_000,
  args = [],
  launcher,
  isTemporary,
}) {
  mkdirSync(dataDir, { recursive: true });
  const nodes = [];
  const cluster = new RedisCluster(nodes, { dataDir, masters, isTemporary });
  try {
    for (let node = 0; node < masters * (1 + replicas); node++)
      nodes.push(await startNode({ dataDir: join(dataDir, `node-${node}`), nodeTimeoutMs, args, launcher }));
    await meet(nodes, masters);
    await cluster.whenWhole();
    return cluster;
  } catch (error) {
    await cluster.stop();
    throw error;
  }
}

async function startNode({ dataDir, nodeTimeoutMs, args, launcher }) {
  // Its default, ten thousand above the other one, is often no port at all.
  const busPort = await freePort();
  const asNode = [
    ...['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'],
    ...['--cluster-port', String(busPort), '--cluster-node-timeout', String(nodeTimeoutMs)],
    // A replica gets its copy at once, and not when five seconds have brought more of them.
    ...['--repl-diskless-sync-delay', '0'],
  ];
  return Object.assign(await startRedis({ dataDir, args: [...asNode, ...args], launcher }), { busPort });
}

/** What `redis-cli --cluster create` does, which may not be there. */
async function meet(nodes, count) {
  const [first, ...others] = nodes;
  for (const [index, { port }] of nodes.slice(0, count).entries()) {
    const range = [index, index + 1].map((part) => Math.ceil((SLOTS * part) / count));
    await command(port, 'CLUSTER', 'ADDSLOTSRANGE', range[0], range[1] - 1);
    await command(port, 'CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  }
  for (const { port, busPort } of others)
    await command(first.port, 'CLUSTER', 'MEET', '127.0.0.1', port, busPort);
  for (const { port } of nodes)
    await until('until its nodes knew each other', async () =>
      (await command(port, 'CLUSTER', 'INFO')).includes(`cluster_known_nodes:${nodes.length}\r\n`),
    );
  for (const [index, { port }] of nodes.slice(count).entries()) {
    const [, id] = (await command(nodes[index % count].port, 'CLUSTER', 'MYID')).split('\r\n');
    await command(port, 'CLUSTER', 'REPLICATE', id);
  }
}

/** All slots are served, and who is no master has a copy of one. A master that was dead learns late that it is none any more. */
async function isWhole(nodes, masters) {
  const roles = await Promise.all(
    nodes.map(async ({ port }) => {
      if (!(await command(port, 'CLUSTER', 'INFO')).includes('cluster_state:ok')) return undefined;
      const replication = await command(port, 'INFO', 'replication');
      if (replication.includes('role:master')) return 'master';
      return replication.includes('master_link_status:up') ? 'replica' : undefined;
    }),
  );
  return !roles.includes(undefined) && roles.filter((role) => role === 'master').length === masters;
}

async function until(what, isSo) {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (!(await isSo().catch(() => false))) {
    if (Date.now() > deadline) throw new BootstrapError(`It took the Redis Cluster too long ${what}.`);
    await sleep(POLL_MS);
  }
}

async function command(port, ...words) {
  const reply = await ask(port, words.map(String));
  if (reply.startsWith('-')) throw new BootstrapError(`${words.join(' ')} on port ${port}: ${reply.trim()}`);
  return reply;
}

class RedisCluster {
  #settings;

  constructor(nodes, settings) {
    this.nodes = nodes;
    this.#settings = settings;
  }

  get url() {
    return this.nodes.map(({ url }) => url).join(',');
  }

  async masterOf(key) {
    const [first] = this.#running;
    const slot = Number((await command(first.port, 'CLUSTER', 'KEYSLOT', key)).slice(1));
    for (const node of this.#running)
      if ((await slotsOf(node)).some(([from, to]) => from <= slot && slot <= to)) return node;
    throw new BootstrapError(`No node that runs is master of ${key}.`);
  }

  async masters() {
    const firstSlots = new Map();
    for (const node of this.#running) firstSlots.set(node, (await slotsOf(node))[0]?.[0]);
    return this.#running
      .filter((node) => firstSlots.get(node) !== undefined)
      .sort((a, b) => firstSlots.get(a) - firstSlots.get(b));
  }

  async replicaOf(master) {
    for (const node of this.#running)
      if ((await command(node.port, 'INFO', 'replication')).includes(`master_port:${master.port}\r\n`))
        return node;
    throw new BootstrapError(`No node that runs is a replica of the one on port ${master.port}.`);
  }

  async cutOff(replica) {
    // A master that knows no password refuses one. (A replica that is frozen would find all it has missed in its socket.)
    await command(replica.port, 'CONFIG', 'SET', 'masterauth', 'refused');
    await command(replica.port, 'CLIENT', 'KILL', 'TYPE', 'master');
  }

  async failOver(master) {
    const replica = await this.replicaOf(master);
    await master.kill();
    await until('to let a replica take over', async () => (await slotsOf(replica)).length > 0);
    await command(replica.port, 'CONFIG', 'SET', 'masterauth', '');
    await master.start();
    await this.whenWhole();
  }

  whenWhole() {
    return until('to be whole', () => isWhole(this.#running, this.#settings.masters));
  }

  async stop() {
    // An orderly stop waits: for a replica's first own append-only file, for a master that is gone already.
    await Promise.all(this.nodes.map((node) => node.kill()));
    await Promise.all(this.nodes.map((node) => node.stop()));
    if (this.#settings.isTemporary) rmSync(this.#settings.dataDir, { recursive: true, force: true });
  }

  get #running() {
    return this.nodes.filter(({ isRunning }) => isRunning);
  }
}

/** From where to where a node is master, by its own word: others hear of a failover a moment later. */
async function slotsOf({ port }) {
  const table = await command(port, 'CLUSTER', 'NODES');
  const me = table.split('\n').find((line) => line.includes('myself')) ?? '';
  const [, , flags = '', , , , , , ...ranges] = me.split(' ');
  if (!flags.includes('master')) return [];
  return ranges.map((range) => {
    const [from, to = from] = range.split('-').map(Number);
    return [from, to];
  });
}
