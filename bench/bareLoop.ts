/**
 * The limit: the same client and the same mails, rendered before, in a bare loop. Nothing is claimed, nothing remembered.
 * From the environment: CLIENT (`light`, `sdk`), AWS_ENDPOINT_URL_SESV2. Over IPC: `{ count, concurrency }` → `{ cpuMs }`.
 */
import { makeSendEmailInput, SesClient } from '@sendonce/shared/ses';
import { mailText, subjectOf } from './campaign.js';

/** Enough that no cache has all of them at hand, and the memory does. */
const MAILS = 1_000;

const mails = Array.from({ length: MAILS }, (_, index) =>
  makeSendEmailInput(
    {
      from: 'Dif <updates@dif.io>',
      to: `reader${index}@example.com`,
      subject: subjectOf(`Reader ${index}`),
      text: mailText(`Reader ${index}`),
      listId: 'news <news.dif.io>',
    },
    { run: 'limit', chunk: Math.floor(index / 500), position: index % 500 },
  ),
);
const ses = new SesClient({
  region: 'us-east-1',
  endpoint: process.env.AWS_ENDPOINT_URL_SESV2 ?? '',
  timeoutMs: 20_000,
  sender: process.env.CLIENT === 'sdk' ? 'sdk' : 'light',
});

process.on('disconnect', () => process.exit(0));
process.on('message', async ({ count, concurrency }: { count: number; concurrency: number }) => {
  const cpu = process.cpuUsage();
  let next = 0;
  const loop = async (): Promise<void> => {
    while (next < count) {
      const mail = mails[next++ % MAILS];
      const answer = mail && (await ses.send(mail, Date.now()));
      if (answer?.outcome !== 'accepted') throw new Error(JSON.stringify(answer));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, loop));
  const { user, system } = process.cpuUsage(cpu);
  process.send?.({ cpuMs: (user + system) / 1_000 });
});
process.send?.('ready');
