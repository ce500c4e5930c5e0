/** A wire to Redis that kills its user at the very moment when the user sends a certain thing, which never arrives. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

export interface DeadlyWire {
  /** For REDIS_URL. */
  url: string;
  /** From now on: whoever sends `text` dies of it. */
  arm(text: string, victim: ChildProcess): void;
  stop(): void;
}

export async function openDeadlyWire(redisUrl: string): Promise<DeadlyWire> {
  const { hostname, port } = new URL(redisUrl);
  let trap: { text: string; victim: ChildProcess } | undefined;
  const server = createServer((socket) => {
    const redis = connect(Number(port), hostname);
    let isDead = false;
    socket.on('data', (data) => {
      if (trap && data.toString('latin1').includes(trap.text)) {
        isDead = true;
        trap.victim.kill('SIGKILL');
      }
      if (!isDead) redis.write(data);
    });
    redis.pipe(socket);
    for (const [end, other] of [
      [socket, redis],
      [redis, socket],
    ] as const) {
      end.on('error', () => other.destroy());
      end.on('close', () => other.destroy());
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arm: (text, victim) => {
      trap = { text, victim };
    },
    stop: () => void server.close(),
  };
}
