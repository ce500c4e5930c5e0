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
  verifySignature: boolean;
}

export interface SignedRequest {
  method: string;
  /** Path and query, as on the request line. */
  url: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** The parts of `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`; their order and the blanks are free. */
interface Authorization {
  accessKeyId: string;
  day: string;
  region: string;
  service: string;
  signedHeaders: string;
  signature: string;
}

export class SignatureCheck {
  readonly #config: SignatureConfig;
  /** Signing keys by date, region and service: four HMACs a key, and one key is good for a day. */
  readonly #keys = new Map<string, Buffer>();

  constructor(config: SignatureConfig) {
    this.#config = config;
  }

  /** @throws {SesError} 403, in AWS's words. */
  verify(request: SignedRequest): void {
    const authorization = parseAuthorization(request.headers.authorization ?? '');
    if (!authorization)
      throw new SesError(403, 'MissingAuthenticationTokenException', 'Missing Authentication Token');
    const { accessKeyId, day, region, service, signedHeaders, signature } = authorization;
    if (accessKeyId !== this.#config.accessKeyId) {
      throw new SesError(
        403,
        'UnrecognizedClientException',
        'The security token included in the request is invalid.',
      );
    }
    this.verifyDate(request);
    if (!this.#config.verifySignature) return;
    const scope = `${day}/${region}/${service}/aws4_request`;
    const amzDate = String(request.headers['x-amz-date']);
    const hash = sha256(canonicalRequest(request, signedHeaders));
    const expected = createHmac('sha256', this.#signingKey(day, region, service))
      .update(`AWS4-HMAC-SHA256\n${amzDate}\n${scope}\n${hash}`)
      .digest();
    const isSigned = ['host', 'x-amz-date'].every((name) => signedHeaders.split(';').includes(name));
    const given = Buffer.from(signature, 'hex');
    if (isSigned && amzDate.startsWith(day) && given.length === 32 && timingSafeEqual(expected, given))
      return;
    // By this name SES goes; services with newer front ends say InvalidSignatureException.
    throw new SesError(
      403,
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
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

function parseAuthorization(header: string): Authorization | undefined {
  const [, list] = /^AWS4-HMAC-SHA256\s+(.*)$/.exec(header) ?? [];
  if (list === undefined) return undefined;
  const parts = new Map<string, string>();
  for (const part of list.split(',')) {
    const equals = part.indexOf('=');
    parts.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim());
  }
  const [accessKeyId, day, region, service, end] = parts.get('Credential')?.split('/') ?? [];
  const [signedHeaders, signature] = [parts.get('SignedHeaders'), parts.get('Signature')];
  if (!accessKeyId || !day || !region || !service || end !== 'aws4_request') return undefined;
  return signedHeaders && signature
    ? { accessKeyId, day, region, service, signedHeaders, signature }
    : undefined;
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
  const encodedPath = path.split('/').map(uriEncode).join('/');
  return [method, encodedPath, canonicalQuery, canonicalHeaders, signedHeaders, sha256(body)].join('\n');
}

/** RFC 3986, which is stricter than JavaScript's. */
function uriEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
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
