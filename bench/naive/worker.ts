/**
 * The worker of the usual twenty lines. From the environment: REDIS_URL, NAIVE_PREFIX, NAIVE_RATE (mails a second),
 * NAIVE_LOCK_MS (how long a silent worker keeps its jobs; BullMQ's default is 30 s), and the AWS SDK's own.
 */
import { SESv2Client, SendEmailCommand } from '@aws-sdk/client-sesv2';
import { Worker } from 'bullmq';
import { NAIVE_QUEUE, type NaiveEmail } from './queue.js';

const { REDIS_URL = '', NAIVE_PREFIX = 'bull', NAIVE_RATE = '100', NAIVE_LOCK_MS = '30000' } = process.env;
const ses = new SESv2Client({});

const worker = new Worker<NaiveEmail>(
  NAIVE_QUEUE,
  async ({ data: { run, position, to, name } }) => {
    const text = (Data: string) => ({ Data });
    const { MessageId } = await ses.send(
      new SendEmailCommand({
        FromEmailAddress: 'Dif <updates@dif.io>',
        Destination: { ToAddresses: [to] },
        Content: {
          Simple: { Subject: text(`News for ${name}`), Body: { Text: text(`Hi ${name},\nnews.\n`) } },
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
