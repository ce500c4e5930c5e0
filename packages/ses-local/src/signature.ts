/**
 * Checks a request's signature as AWS does: Signature Version 4, and a date that is neither too old nor in the future. The
 * date is what Sendonce's fence stands on. Written against the specification and not with the signer that the client uses,
 * so that one checks the other. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { SesError } from './sesError.js';

export interface SignatureConfig {
  accessKeyId: string;
  secretAccessKey: string;
  /** How old a signature may be, seconds. SES: 300. */
  signatureSeconds: number;
  /** False: only the date is checked. For benchmarks, where the check would cost more than what is measured. */
  verifiesSignature: boolean;
}

export interface SignedRequest {
  method: string;
  /** Path and query, as on the request line. */
  url: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([a-z0-9-]+)\/([a-z0-9-]+)\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/;

export class SignatureCheck {
  readonly #config: SignatureConfig;
  /** Signing keys by date, region and service: four HMACs a key, and one key is good for a day. */
  readonly #keys = new Map<string, Buffer>();

  constructor(config: SignatureConfig) {
    this.#config = config;
  }

  /** @throws {SesError} 403, in AWS's words. */
  verify(request: SignedRequest): void {
    const match = AUTHORIZATION.exec(request.headers.authorization ?? '');
    if (!match)
      throw new SesError(403, 'MissingAuthenticationTokenException', 'Missing Authentication Token');
    const [, accessKeyId = '', day = '', region = '', service = '', signedHeaders = '', signature = ''] =
      match;
    if (accessKeyId !== this.#config.accessKeyId) {
      throw new SesError(
        403,
        'UnrecognizedClientException',
        'The security token included in the request is invalid.',
      );
    }
    this.verifyDate(request);
    if (!this.#config.verifiesSignature) return;
    const amzDate = String(request.headers['x-amz-date']);
    const scope = `${day}/${region}/${service}/aws4_request`;
    const stringToSign = [
      'AWS4-HMAC-SHA256',
      amzDate,
      scope,
      sha256(canonicalRequest(request, signedHeaders)),
    ].join('\n');
    const expected = createHmac('sha256', this.#signingKey(day, region, service))
      .update(stringToSign)
      .digest();
    if (amzDate.startsWith(day) && timingSafeEqual(expected, Buffer.from(signature, 'hex'))) return;
    throw new SesError(
      403,
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
    );
  }

  /** Again at the moment of acceptance: a request may have been on its way for long. @throws {SesError} 403 */
  verifyDate({ headers }: SignedRequest): void {
    const amzDate = String(headers['x-amz-date']);
    const signedAt = parseAmzDate(amzDate);
    const windowMs = this.#config.signatureSeconds * 1_000;
    const now = Date.now();
    const minutes = +(this.#config.signatureSeconds / 60).toFixed(3);
    if (Number.isNaN(signedAt))
      throw new SesError(403, 'IncompleteSignatureException', 'Date must be in ISO-8601 basic format');
    if (signedAt < now - windowMs) {
      const oldest = toAmzDate(now - windowMs);
      const text = `Signature expired: ${amzDate} is now earlier than ${oldest} (${toAmzDate(now)} - ${minutes} min.)`;
      throw new SesError(403, 'InvalidSignatureException', text);
    }
    if (signedAt > now + windowMs) {
      const newest = toAmzDate(now + windowMs);
      const text = `Signature not yet current: ${amzDate} is still later than ${newest} (${toAmzDate(now)} + ${minutes} min.)`;
      throw new SesError(403, 'InvalidSignatureException', text);
    }
  }

  #signingKey(day: string, region: string, service: string): Buffer {
    const id = `${day}/${region}/${service}`;
    const known = this.#keys.get(id);
    if (known) return known;
    const key = [day, region, service, 'aws4_request'].reduce(
      (secret, part) => createHmac('sha256', secret).update(part).digest(),
      Buffer.from(`AWS4${this.#config.secretAccessKey}`),
    );
    this.#keys.clear();
    this.#keys.set(id, key);
    return key;
  }
}

function canonicalRequest({ method, url, headers, body }: SignedRequest, signedHeaders: string): string {
  const [path = '/', query = ''] = url.split('?');
  const canonicalQuery = query.split('&').filter(Boolean).sort().join('&');
  const canonicalHeaders = signedHeaders
    .split(';')
    .map(
      (name) =>
        `${name}:${String(headers[name] ?? '')
          .trim()
          .replace(/\s+/g, ' ')}\n`,
    )
    .join('');
  const encodedPath = path.split('/').map(encodeURIComponent).join('/');
  return [method, encodedPath, canonicalQuery, canonicalHeaders, signedHeaders, sha256(body)].join('\n');
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function parseAmzDate(text: string): number {
  return Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

function toAmzDate(millis: number): string {
  return new Date(millis).toISOString().replace(/[-:]|\.\d{3}/g, '');
}
