import { createHash, createHmac } from 'node:crypto';
import { GetAccountCommand, SendEmailCommand } from '@aws-sdk/client-sesv2';
import { expect, test } from 'vitest';
import { makeClient, makeMail, setup } from './testing/setup.js';

const MINUTE = 60_000;
const EXPIRED =
  /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$/;

test('a request that was signed by another secret is refused', async () => {
  const { sesLocal } = await setup();
  const client = makeClient(sesLocal, { secretAccessKey: 'wrong' });
  await expect(client.send(new SendEmailCommand(makeMail()))).rejects.toMatchObject({
    name: 'SignatureDoesNotMatch',
    $metadata: { httpStatusCode: 403 },
  });
});

test('an unknown key id is refused', async () => {
  const { sesLocal } = await setup();
  const client = makeClient(sesLocal, { accessKeyId: 'other' });
  await expect(client.send(new GetAccountCommand({}))).rejects.toThrow('security token');
});

test('a body that was changed on the way is refused', async () => {
  const { sesLocal, client } = await setup();
  client.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { body: string };
      request.body = request.body.replace('user0', 'user1');
      return next(args);
    },
    { step: 'finalizeRequest', name: 'tamper', priority: 'low' },
  );
  await expect(client.send(new SendEmailCommand(makeMail()))).rejects.toThrow('does not match');
  expect(sesLocal.mails.report().messages).toBe(0);
});

test('a session token is part of what is signed', async () => {
  const { sesLocal } = await setup();
  const client = makeClient(sesLocal, { sessionToken: 'a token/with=signs' });
  await client.send(new SendEmailCommand(makeMail()));
});

test.each([true, false])(
  'a signature that is older than 5 minutes has expired (HMAC verified: %s)',
  async (verifySignature) => {
    const { sesLocal } = await setup({ verifySignature });
    const late = makeClient(sesLocal, {}, -6 * MINUTE);
    await expect(late.send(new SendEmailCommand(makeMail()))).rejects.toMatchObject({
      name: 'InvalidSignatureException',
      message: expect.stringMatching(EXPIRED),
    });
    await makeClient(sesLocal, {}, -4 * MINUTE).send(new SendEmailCommand(makeMail()));
  },
);

test('a signature from the future is not yet current', async () => {
  const { sesLocal } = await setup();
  const early = makeClient(sesLocal, {}, 6 * MINUTE);
  await expect(early.send(new SendEmailCommand(makeMail()))).rejects.toThrow(
    /^Signature not yet current: .* \+ 5 min\.\)$/,
  );
});

test('a signature that expires while the request is on its way is refused at acceptance', async () => {
  const { sesLocal, send } = await setup({ signatureSeconds: 1.5 });
  sesLocal.faults.set({ rules: [{ fault: 'latency-before', latencyMs: 1_600 }] });
  await expect(send()).rejects.toThrow(/^Signature expired/);
  expect(sesLocal.mails.report().messages).toBe(0);
});

test('without verification a request of a light client needs no right HMAC, but a date', async () => {
  const { sesLocal } = await setup({ verifySignature: false });
  const date = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const authorization = `AWS4-HMAC-SHA256 Credential=local/${date.slice(0, 8)}/x/ses/aws4_request,SignedHeaders=host,Signature=0`;
  const post = (headers: Record<string, string>) =>
    fetch(`${sesLocal.url}/v2/email/outbound-emails`, {
      method: 'POST',
      headers,
      body: JSON.stringify(makeMail()),
    });
  expect((await post({ authorization, 'x-amz-date': date })).status).toBe(200);
  expect((await post({ authorization })).status).toBe(403);
  expect((await post({ 'x-amz-date': date })).status).toBe(403);
});

test('the parts of an Authorization header may come in any order', async () => {
  const { sesLocal } = await setup();
  const date = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const day = date.slice(0, 8);
  const host = `127.0.0.1:${sesLocal.port}`;
  const emptyHash = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
  const canonical = `GET\n/v2/email/account\n\nhost:${host}\nx-amz-date:${date}\n\nhost;x-amz-date\n${emptyHash}`;
  const scope = `${day}/us-east-1/ses/aws4_request`;
  const toSign = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${createHash('sha256').update(canonical).digest('hex')}`;
  const key = [day, 'us-east-1', 'ses', 'aws4_request'].reduce<Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    Buffer.from('AWS4local'),
  );
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  const authorization = `AWS4-HMAC-SHA256 Signature=${signature},   SignedHeaders=host;x-amz-date, Credential=local/${scope}`;
  const response = await fetch(`${sesLocal.url}/v2/email/account`, {
    headers: { authorization, 'x-amz-date': date },
  });
  expect(response.status).toBe(200);
});
