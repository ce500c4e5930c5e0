/**
 * The usual webhook for SES's events: express, the signature checked by the same library, a count in Redis. It knows of no
 * recipient, so that an event that comes twice counts twice. From the environment: REDIS_URL, PORT, SNS_LOCAL_CERTIFICATE_URL.
 */
import { connectRedis, makeLogger } from '@sendonce/shared/runtime';
import express from 'express';
import SnsPayloadValidator from 'sns-payload-validator';

const { REDIS_URL: url = '', PORT, SNS_LOCAL_CERTIFICATE_URL = '' } = process.env;
const redis = connectRedis({ url, name: 'bench', logger: makeLogger('bench', 'silent') });
const validator = new SnsPayloadValidator();
const certificate = (await (await fetch(SNS_LOCAL_CERTIFICATE_URL)).json()) as { url: string; pem: string };
(validator as unknown as { certCache: Map<string, string> }).certCache.set(certificate.url, certificate.pem);

const app = express();
app.post('/hooks/ses', express.text({ type: () => true, limit: '400kb' }), async (request, response) => {
  const { Message } = await validator.validate(JSON.parse(String(request.body)));
  const { eventType, mail } = JSON.parse(Message);
  await redis.hincrby(`events:${mail.tags.sendonce_run[0]}`, eventType, 1);
  response.json({ ok: true });
});
app.listen(Number(PORT), '127.0.0.1', () => process.send?.('ready'));
process.on('disconnect', () => process.exit(0));
