/**
 * Signs notifications as Amazon SNS does, with a certificate of our own. The certificate's URL looks like Amazon's; whoever
 * trusts this simulator fetches the certificate from `/sns/certificate` and puts it where Amazon's would be.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
 */
import { createSign, randomUUID } from 'node:crypto';
import { generate } from 'selfsigned';

/** 1024 bits are far too few for anything but this: a signature takes 0.1 ms instead of 0.6 (`openssl speed rsa`). */
const KEY_BITS = 1_024;

export type SignatureVersion = '1' | '2';
export type SnsMessage = Record<string, string>;

const SIGNED_KEYS = {
  Notification: ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'],
  SubscriptionConfirmation: [
    'Message',
    'MessageId',
    'SubscribeURL',
    'Timestamp',
    'Token',
    'TopicArn',
    'Type',
  ],
};

export class SnsSigner {
  readonly certificate: { url: string; pem: string };
  readonly #privateKey: string;

  private constructor(certificate: SnsSigner['certificate'], privateKey: string) {
    this.certificate = certificate;
    this.#privateKey = privateKey;
  }

  static async make(region: string): Promise<SnsSigner> {
    const { cert, private: privateKey } = await generate(
      [{ name: 'commonName', value: 'sns.amazonaws.com' }],
      { keySize: KEY_BITS },
    );
    const id = randomUUID().replaceAll('-', '');
    return new SnsSigner(
      { url: `https://sns.${region}.amazonaws.com/SimpleNotificationService-${id}.pem`, pem: cert },
      privateKey,
    );
  }

  sign(type: keyof typeof SIGNED_KEYS, fields: SnsMessage, version: SignatureVersion): SnsMessage {
    const message: SnsMessage = {
      Type: type,
      MessageId: randomUUID(),
      Timestamp: new Date().toISOString(),
      ...fields,
    };
    const signer = createSign(version === '1' ? 'RSA-SHA1' : 'RSA-SHA256');
    for (const key of SIGNED_KEYS[type])
      if (message[key] !== undefined) signer.update(`${key}\n${message[key]}\n`);
    return {
      ...message,
      SignatureVersion: version,
      Signature: signer.sign(this.#privateKey, 'base64'),
      SigningCertURL: this.certificate.url,
    };
  }
}
