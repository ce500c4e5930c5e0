/**
 * The least that can stand for SES: a process of its own that reads requests off a socket and answers each with a message
 * id. It checks nothing, so that its cost is small and the same for all who are measured. It counts who got a mail, and when
 * the first and the last one came.
 *
 * Over IPC: `{ reset: LATENCY_MS }` → `{ ready }`, `report` → `EndpointReport`.
 */
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';

export interface EndpointReport {
  mails: number;
  /** Different recipients, by chunk and position. */
  recipients: number;
  /** ms, by `performance.now()` of the endpoint. */
  firstAt: number;
  lastAt: number;
  /** Of the endpoint itself, since the reset. */
  cpuMs: number;
}

const CHUNK = Buffer.from('"sendonce_chunk","Value":"');
const POSITION = Buffer.from('"sendonce_position","Value":"');
const HEAD_END = Buffer.from('\r\n\r\n');
const ACCOUNT = JSON.stringify({
  SendQuota: { Max24HourSend: -1, MaxSendRate: 1_000_000, SentLast24Hours: 0 },
  SendingEnabled: true,
  ProductionAccessEnabled: true,
  EnforcementStatus: 'HEALTHY',
});

let latencyMs = 0;
let mails = 0;
let firstAt = 0;
let lastAt = 0;
let cpu = process.cpuUsage();
/** A bit a recipient: 500 positions a chunk. */
let seen = new Uint8Array(0);
let recipients = 0;

const server = createServer(serve).listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
process.on('disconnect', () => process.exit(0));
process.on('message', (message: 'report' | { reset: number }) => {
  if (message === 'report') process.send?.({ report: report() });
  else reset(message.reset);
});

function reset(latency: number): void {
  latencyMs = latency;
  mails = recipients = firstAt = lastAt = 0;
  seen = new Uint8Array(0);
  cpu = process.cpuUsage();
  process.send?.({ ready: true });
}

function report(): EndpointReport {
  const { user, system } = process.cpuUsage(cpu);
  return { mails, recipients, firstAt, lastAt, cpuMs: (user + system) / 1_000 };
}

function serve(socket: Socket): void {
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  let rest: Buffer | undefined;
  socket.on('data', (data: Buffer) => {
    let bytes = rest ? Buffer.concat([rest, data]) : data;
    for (let end = endOfRequest(bytes); end > 0; end = endOfRequest(bytes)) {
      const isMail = bytes[0] === 0x50; // POST
      if (isMail) count(bytes.subarray(0, end));
      // As long and as random as SES's own: journals keep them.
      const answer = isMail
        ? `{"MessageId":"010001${mails.toString(16).padStart(10, '0')}-${randomUUID()}-000000"}`
        : ACCOUNT;
      if (latencyMs > 0) setTimeout(() => write(socket, answer), latencyMs);
      else write(socket, answer);
      bytes = bytes.subarray(end);
    }
    rest = bytes.length > 0 ? bytes : undefined;
  });
}

/** 0 while it is not complete. */
function endOfRequest(bytes: Buffer): number {
  const head = bytes.indexOf(HEAD_END);
  if (head < 0) return 0;
  const [, length = '0'] = /content-length: *(\d+)/i.exec(bytes.toString('latin1', 0, head)) ?? [];
  const end = head + 4 + Number(length);
  return bytes.length >= end ? end : 0;
}

let second = 0;
let date = '';

function write(socket: Socket, answer: string): void {
  const now = Math.floor(Date.now() / 1_000);
  if (now !== second) {
    second = now;
    date = new Date().toUTCString();
  }
  socket.write(
    `HTTP/1.1 200 OK\r\ndate: ${date}\r\ncontent-type: application/json\r\ncontent-length: ${answer.length}\r\n\r\n${answer}`,
  );
}

function count(request: Buffer): void {
  lastAt = performance.now();
  firstAt ||= lastAt;
  mails += 1;
  const chunk = numberAfter(request, CHUNK);
  const position = numberAfter(request, POSITION);
  const bit = chunk * 500 + position;
  if (bit >= seen.length * 8) {
    const larger = new Uint8Array(Math.max(1_024, (bit / 8) * 2));
    larger.set(seen);
    seen = larger;
  }
  const byte = bit >> 3;
  const mask = 1 << (bit & 7);
  if (((seen[byte] ?? 0) & mask) === 0) recipients += 1;
  seen[byte] = (seen[byte] ?? 0) | mask;
}

function numberAfter(request: Buffer, name: Buffer): number {
  const at = request.indexOf(name);
  return at < 0
    ? 0
    : Number.parseInt(request.toString('latin1', at + name.length, at + name.length + 10), 10);
}
