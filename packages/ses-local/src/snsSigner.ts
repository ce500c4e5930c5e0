/**
 * Signs notifications as Amazon SNS does, with a certificate of our own. The certificate's URL looks like Amazon's; whoever
 * trusts this simulator fetches the certificate from `/sns/certificate` and puts it where Amazon's would be.
 * https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
 */
import { createHash, createPrivateKey, sign as cryptoSign, type KeyObject, randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { generate } from 'selfsigned';

/**
 * Amazon's keys have 2048. 1024 are too few for anything but this: a signature takes 0.09 ms of a core instead of 0.25,
 * and a mail has two; the key is made in 6 ms instead of 100 to 160 (node:crypto, Node 20). Validators take both.
 */
const KEY_BITS = 1_024;

const sign = promisify(cryptoSign);

export type SignatureVersion = '1' | '2';
export type SnsMessage = Record<string, string>;
export type SnsMessageType = keyof typeof SIGNED_KEYS;

/** What is signed, in SNS's order. */
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

/** One a process, by its size: tests start many simulators, and a key takes longer than all the rest of the start. */
const keyPairs = new Map<number, ReturnType<typeof makeKeyPair>>();

async function makeKeyPair(keySize: number) {
  const { cert, private: privateKey } = await generate([{ name: 'commonName', value: 'sns.amazonaws.com' }], {
    keySize,
    algorithm: 'sha256',
  });
  return { pem: cert, privateKey: createPrivateKey(privateKey) };
}

export class SnsSigner {
  readonly certificate: { url: string; pem: string };
  readonly #privateKey: KeyObject;

  private constructor(certificate: SnsSigner['certificate'], privateKey: KeyObject) {
    this.certificate = certificate;
    this.#privateKey = privateKey;
  }

  static async make(region: string, keyBits = KEY_BITS): Promise<SnsSigner> {
    const keyPair = keyPairs.get(keyBits) ?? makeKeyPair(keyBits);
    keyPairs.set(keyBits, keyPair);
    const { pem, privateKey } = await keyPair;
    const id = createHash('md5').update(pem).digest('hex');
    const url = `https://sns.${region}.amazonaws.com/SimpleNotificationService-${id}.pem`;
    return new SnsSigner({ url, pem }, privateKey);
  }

  /** In libuv's threads, so that mails are accepted meanwhile. */
  async sign(type: SnsMessageType, fields: SnsMessage, version: SignatureVersion): Promise<SnsMessage> {
    const message: SnsMessage = {
      Type: type,
      MessageId: randomUUID(),
      Timestamp: new Date().toISOString(),
      ...fields,
    };
    const text = SIGNED_KEYS[type]
      .filter((key) => message[key] !== undefined)
      .map((key) => `${key}\n${message[key]}\n`)
      .join('');
    const algorithm = version === '1' ? 'RSA-SHA1' : 'RSA-SHA256';
    const signature = await sign(algorithm, Buffer.from(text), this.#privateKey);
    return {
      ...message,
      SignatureVersion: version,
      Signature: signature.toString('base64'),
      SigningCertURL: this.certificate.url,
    };
  }
}
