/**
 * Signature Version 4 for requests of one kind: POSTs to one path, with a body of one type. The general signer of the SDK does the
 * same in ten times the time, most of which is to find out, for every request, what is known once.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHmac, hash } from 'node:crypto';
import { escapeUri } from './connections.js';

const ALGORITHM = 'AWS4-HMAC-SHA256';

/** Where requests go, and as what they are signed. */
export interface SigningTarget {
  /** With the port unless it is the protocol's own. */
  host: string;
  /** As it is sent. */
  path: string;
  contentType: string;
  region: string;
  service: string;
}

export interface SigningCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

/** To be sent just so: name, value, name, value… */
export type SignedHeaders = string[];

export class RequestSigner {
  readonly #target: SigningTarget;
  readonly #canonicalPath: string;
  #key: { day: string; secret: string; key: Buffer } | undefined;
  #time: { second: number; amzDate: string } | undefined;

  constructor(target: SigningTarget) {
    this.#target = target;
    // Once for the request, and once more for the signature.
    this.#canonicalPath = target.path.split('/').map(escapeUri).join('/');
  }

  /**
   * @param bodyHash SHA-256 in hex.
   * @param at ms since the epoch; the request is good for some minutes from then on.
   */
  sign(
    bodyHash: string,
    at: number,
    { accessKeyId, secretAccessKey, sessionToken }: SigningCredentials,
  ): SignedHeaders {
    const { contentType, host, region, service } = this.#target;
    const amzDate = this.#amzDate(at);
    const day = amzDate.slice(0, 8);
    const names = sessionToken
      ? 'content-type;host;x-amz-date;x-amz-security-token'
      : 'content-type;host;x-amz-date';
    const canonicalRequest =
      `POST\n${this.#canonicalPath}\n\ncontent-type:${contentType}\nhost:${host}\nx-amz-date:${amzDate}\n` +
      `${sessionToken ? `x-amz-security-token:${sessionToken}\n` : ''}\n${names}\n${bodyHash}`;
    const scope = `${day}/${region}/${service}/aws4_request`;
    const toSign = `${ALGORITHM}\n${amzDate}\n${scope}\n${hash('sha256', canonicalRequest, 'hex')}`;
    const signature = createHmac('sha256', this.#signingKey(day, secretAccessKey))
      .update(toSign)
      .digest('hex');
    const headers = [
      'content-type',
      contentType,
      'host',
      host,
      'x-amz-date',
      amzDate,
      'authorization',
      `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
    ];
    if (sessionToken) headers.push('x-amz-security-token', sessionToken);
    return headers;
  }

  /** The same for a day and a secret: four HMACs that are not made anew for each request. */
  #signingKey(day: string, secret: string): Buffer {
    if (this.#key?.day !== day || this.#key.secret !== secret) {
      const { region, service } = this.#target;
      const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(
        (above, part) => createHmac('sha256', above).update(part).digest(),
        `AWS4${secret}`,
      );
      this.#key = { day, secret, key: key as Buffer };
    }
    return this.#key.key;
  }

  /** `20261124T100000Z`. */
  #amzDate(at: number): string {
    const second = Math.floor(at / 1_000);
    if (this.#time?.second !== second) {
      const amzDate = new Date(second * 1_000).toISOString().replace(/[-:]|\.\d+/g, '');
      this.#time = { second, amzDate };
    }
    return this.#time.amzDate;
  }
}
