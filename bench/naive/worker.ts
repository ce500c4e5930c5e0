/**
 * The worker of the usual twenty lines. From the environment: REDIS_URL, NAIVE_PREFIX, NAIVE_RATE (mails a second),
 * NAIVE_LOCK_MS (how long a silent worker keeps its jobs; BullMQ's default is 30 s), NAIVE_CLIENT (`light`: as if they had
 * ours), and the AWS SDK's own.
 */
import { SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2';
import { SesClient } from '@sendonce/shared/ses';
import { Worker } from 'bullmq';
import { mailText } from '../campaign.js';
import { NAIVE_QUEUE, type NaiveEmail } from './queue.js';

const { REDIS_URL = '', NAIVE_PREFIX = 'bull', NAIVE_RATE = '100', NAIVE_LOCK_MS = '30000' } = process.env;
const ses = process.env.NAIVE_CLIENT === 'light' ? lightClient() : new SESv2Client({});

const worker = new Worker<NaiveEmail>(
  NAIVE_QUEUE,
  async ({ data: { run, position, to, name } }) => {
    const text = (Data: string) => ({ Data });
    const { MessageId } = await ses.send(
      new SendEmailCommand({
        FromEmailAddress: 'Dif <updates@dif.io>',
        Destination: { ToAddresses: [to] },
        Content: {
          Simple: { Subject: text(`News for ${name}`), Body: { Text: text(mailText(name)) } },
        },
        // The same tags as ours, so that the inbox counts both in the same way.
        EmailTags: [
          { Name: 'sendonce_run', Value: run },
          { Name: 'sendonce_chunk', Value: String(Math.floor(position / 500)) },
          { Name: 'sendonce_position', Value: String(position % 500) },
        ],
      }),
    );
    return MessageId;
  },
  {
    connection: { url: REDIS_URL },
    prefix: NAIVE_PREFIX,
    concurrency: 64,
    limiter: { max: Number(NAIVE_RATE), duration: 1_000 },
    lockDuration: Number(NAIVE_LOCK_MS),
    stalledInterval: Number(NAIVE_LOCK_MS),
  },
);
// Without a listener an error ends the process.
worker.on('error', () => undefined);
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuMs: (user + system) / 1_000 });
});

/** With the SDK's interface, as far as it is used here. */
function lightClient() {
  const light = new SesClient({
    region: process.env.AWS_REGION ?? '',
    endpoint: process.env.AWS_ENDPOINT_URL_SESV2 ?? '',
    timeoutMs: 20_000,
  });
  return {
    send: async ({ input }: SendEmailCommand): Promise<{ MessageId?: string }> => {
      const answer = await light.send(input, Date.now());
      if (answer.outcome !== 'accepted') throw new Error(answer.reason);
      return { MessageId: answer.messageId };
    },
  };
}
