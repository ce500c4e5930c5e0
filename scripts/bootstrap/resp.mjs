/** A word with a Redis server without a client library, which may not be installed yet. */
import { connect } from 'node:net';

const TIMEOUT_MS = 1_000;

/** One command, one reply, as raw text (RESP). Good for short replies only. */
export function ask(port, words) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`no reply from port ${port}`)));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`port ${port} closed the connection`)));
    socket.on('data', (data) => {
      resolve(data.toString());
      socket.destroy();
    });
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    socket.write(`*${words.length}\r\n${parts.join('')}`);
  });
}

/** Whether the server on this port answers and keeps its data in this folder: then it is the one that we mean. */
export async function servesDir(port, dir) {
  const reply = await ask(port, ['CONFIG', 'GET', 'dir']).catch(() => '');
  return reply.includes(`\r\n${dir}\r\n`);
}
