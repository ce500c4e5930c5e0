/**
 * A proxy before the API that loses answers: of each idempotency key the first one, after the API has given it. What a program
 * then sees is what it sees when a dashboard or a connection dies at the worst moment.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface AnswerLoser {
  url: string;
  /** The idempotency keys whose first answer was lost. */
  lost: ReadonlySet<string>;
  /** From now on it is as if Sendonce were away. */
  setAway(isAway: boolean): void;
  stop(): void;
}

export async function openAnswerLoser(target: string): Promise<AnswerLoser> {
  const lost = new Set<string>();
  let isAway = false;
  const server = createServer(async (request, response) => {
    if (isAway) return void response.writeHead(503).end();
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const { host, connection, 'content-length': _, ...headers } = request.headers;
    const answer = await fetch(`${target}${request.url}`, {
      method: request.method ?? 'GET',
      headers: headers as Record<string, string>,
      ...(parts.length > 0 && { body: Buffer.concat(parts) }),
    });
    const body = Buffer.from(await answer.arrayBuffer());
    const key = headers['idempotency-key'];
    if (typeof key === 'string' && key !== '' && !lost.has(key)) {
      lost.add(key);
      return void response.socket?.destroy();
    }
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lost,
    setAway: (now) => {
      isAway = now;
    },
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
