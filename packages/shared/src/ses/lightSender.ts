/**
 * SendEmail without the SDK around it: JSON, a signature, one request. What the SDK is good at it still does: where the
 * endpoint is and as what a request to it is signed is read off one request that it makes and does not send; credentials
 * come from its chain, which refreshes them.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { type SESv2Client, SendEmailCommand, type SendEmailCommandInput } from '@aws-sdk/client-sesv2';
import type { AwsCredentialIdentity, HttpRequest } from '@smithy/types';
import type { Dispatcher } from 'undici';
import { answerOf, type SesAnswer } from './answers.js';
import { originOf } from './connections.js';
import type { MailSender } from './mailSender.js';
import { RequestBodies } from './requestBody.js';
import { RequestSigner } from './signature.js';

interface Destination {
  origin: string;
  path: string;
  signer: RequestSigner;
}

/** As whom requests are signed. */
interface Identity {
  /** Of the claims, since the epoch. */
  second: number;
  credentials: AwsCredentialIdentity;
}

export class LightSender implements MailSender {
  readonly #client: SESv2Client;
  readonly #connections: Dispatcher;
  readonly #bodies = new RequestBodies();
  #finding: Promise<Destination> | undefined;
  #destination: Destination | undefined;
  #identity: Identity | undefined;

  constructor(client: SESv2Client, connections: Dispatcher) {
    this.#client = client;
    this.#connections = connections;
  }

  async send(mail: SendEmailCommandInput, claimedAt: number): Promise<SesAnswer> {
    try {
      const { origin, path, signer } = this.#destination ?? (await this.#findDestination());
      const second = Math.floor(claimedAt / 1_000);
      const known = this.#identity?.second === second ? this.#identity : undefined;
      const { credentials } = known ?? (await this.#findIdentity(second));
      const { content, hash, length } = this.#bodies.make(mail);
      const headers = signer.sign(hash, claimedAt, credentials);
      // undici sees the length of a buffer, and takes what can be iterated over, which its types don't say.
      if (!Buffer.isBuffer(content)) headers.push('content-length', String(length));
      const body = content as Buffer;
      const response = await exchange(this.#connections, { origin, path, method: 'POST', headers, body });
      const answer = parse(response.body);
      if (response.statusCode !== 200) return answerOf(toError(response, answer));
      const { MessageId: messageId } = answer;
      if (typeof messageId !== 'string' || messageId === '')
        return { outcome: 'unknown', reason: 'SES answered without a MessageId' };
      return { outcome: 'accepted', messageId };
    } catch (error) {
      return answerOf(error);
    }
  }

  async #findDestination(): Promise<Destination> {
    this.#finding ??= destinationOf(this.#client);
    try {
      this.#destination = await this.#finding;
      return this.#destination;
    } catch (error) {
      // Credentials that can't be had now may be had later.
      this.#finding = undefined;
      throw error;
    }
  }

  /** Asked for once a second of claims: the SDK refreshes credentials minutes before they expire, and a claim is sent in less. */
  async #findIdentity(second: number): Promise<Identity> {
    const credentials = (await this.#client.config.credentials()) as AwsCredentialIdentity;
    this.#identity = { second, credentials };
    return this.#identity;
  }
}

async function destinationOf(client: SESv2Client): Promise<Destination> {
  const { headers, path, ...url } = await unsentRequest(client);
  const credential = /Credential=[^/]+\/\d{8}\/([^/]+)\/([^/]+)\//.exec(headers.authorization ?? '');
  const [, region = '', service = ''] = credential ?? [];
  const origin = originOf(url);
  return {
    origin,
    path,
    signer: new RequestSigner({
      host: headers.host ?? new URL(origin).host,
      path,
      contentType: 'application/json',
      region,
      service,
    }),
  };
}

/** The request that the SDK would send, with its signature. */
async function unsentRequest(client: SESv2Client): Promise<HttpRequest> {
  const command = new SendEmailCommand({ Content: {} });
  let request: HttpRequest | undefined;
  command.middlewareStack.add(
    () => async (args) => {
      request = args.request as HttpRequest;
      // Next to the wire, where a request would go out.
      return { response: { statusCode: 200, headers: {}, body: '' }, output: { $metadata: {} } } as never;
    },
    { step: 'deserialize', priority: 'high', name: 'keepRequest' },
  );
  await client.send(command);
  if (!request) throw new Error('The AWS SDK has made no request.');
  return request;
}

interface Response {
  statusCode: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** One request and its whole answer. undici's `request` makes a stream of each answer, which costs a third of a request. */
function exchange(connections: Dispatcher, request: Dispatcher.DispatchOptions): Promise<Response> {
  return new Promise((resolve, reject) => {
    const response: Response = { statusCode: 0, headers: {}, body: '' };
    const pieces: Buffer[] = [];
    connections.dispatch(request, {
      onRequestStart: () => undefined,
      onResponseStart(_controller, statusCode, headers) {
        response.statusCode = statusCode;
        response.headers = headers;
      },
      onResponseData: (_controller, piece) => void pieces.push(piece),
      onResponseEnd() {
        const [only] = pieces;
        response.body = (pieces.length === 1 && only ? only : Buffer.concat(pieces)).toString();
        resolve(response);
      },
      onResponseError: (_controller, error) => reject(error),
    });
  });
}

interface JsonAnswer {
  MessageId?: unknown;
  message?: unknown;
  Message?: unknown;
  __type?: unknown;
  code?: unknown;
}

function parse(text: string): JsonAnswer {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    // A proxy's page, or half an answer.
    return {};
  }
}

/**
 * With the names that the SDK gives. https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization
 */
function toError({ headers, statusCode }: Response, answer: JsonAnswer) {
  const type = String(headers['x-amzn-errortype'] ?? answer.code ?? answer.__type ?? 'UnknownError');
  const [name = type] = type.split(':');
  return {
    name: name.split('#').at(-1) ?? name,
    message: String(answer.message ?? answer.Message ?? ''),
    $metadata: { httpStatusCode: statusCode },
  };
}
