/** A worker that is frozen with its requests signed and on their way, and wakes when all is over: SES refuses them. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { makeCampaignDir, waitFor } from '@sendonce/shared/testing';
import { afterEach, expect, it } from 'vitest';
import { System } from './system.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A wire to SES that keeps back everything from the first SendEmail on, until it is told to let it through. */
async function startSlowWire(sesUrl: string, onSend: () => void) {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const held: number[] = [];
  let answers = '';
  const server = createServer((socket) => {
    const target = connect(Number(new URL(sesUrl).port), '127.0.0.1');
    let isHeld = false;
    socket.on('data', async (bytes) => {
      if (bytes.includes('/v2/email/outbound-emails')) {
        isHeld = true;
        held.push(Date.now());
        onSend();
      }
      if (isHeld) await released;
      target.write(bytes);
    });
    target.on('data', (bytes) => {
      answers += String(bytes);
      socket.write(bytes);
    });
    for (const end of [socket, target]) end.on('error', () => undefined);
    cleanups.push(() => target.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, release, held, answers: () => answers };
}

it('a worker frozen right after signing, thawed after the fence: its recipients have one mail, from another worker', async () => {
  const system = await System.start({ campaignsDir: makeCampaignDir({ settings: 'in_doubt: resend\n' }) });
  cleanups.push(() => system.stop());
  await system.startDashboard();
  const wire = await startSlowWire(system.sesUrl, () => void frozen.kill('SIGSTOP'));
  const frozen = system.spawn('worker', { AWS_ENDPOINT_URL_SESV2: wire.url });
  const run = await system.startRun();
  await waitFor('a request on the wire', () => Promise.resolve(wire.held.length > 0));

  system.spawn('worker');
  await system.whenFinished(run);
  expect(await system.inbox(run)).toEqual({ messages: 3, recipients: 3, duplicates: 0 });

  wire.release();
  frozen.kill('SIGCONT');
  await waitFor("SES's refusals", () => {
    const refusals = wire.answers().split('Signature expired').length - 1;
    return Promise.resolve(refusals >= wire.held.length);
  });
  expect(await system.inbox(run)).toEqual({ messages: 3, recipients: 3, duplicates: 0 });
  expect(await system.ledger.states({ run, chunk: 0 })).toEqual(['sent', 'sent', 'sent']);
});
