/**
 * Traces by OpenTelemetry: BullMQ's own spans (bullmq-otel), with one for each call to SES below them. They carry run and
 * chunk; addresses are taken out of whatever anybody puts into a span.
 *
 * The call's span is made here, not by `instrumentation-aws-sdk`: that has to be loaded before everything else, in a hook of
 * Node's module loader, for all who don't trace as well; and it knows nothing of runs and chunks.
 */
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { scrubAddresses } from '@sendonce/alerts';
import type { Telemetry } from 'bullmq';
import { BullMQOtel } from 'bullmq-otel';
import type { ProcessName, Service, Settings } from '../runtime/index.js';
import { type MailSender, type SesAnswer, TAGS } from '../ses/index.js';

/** What is not sent by then is lost: a stop has 10 s for everything, ms. */
const FLUSH_TIMEOUT_MS = 2_000;

export class Tracing implements Service {
  readonly name = 'tracing';
  readonly telemetry: Telemetry;
  readonly #provider: TracerProvider;

  constructor(name: ProcessName, { endpoint, share }: NonNullable<Settings['tracing']>) {
    const exporter = new OTLPTraceExporter({
      url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
      timeoutMillis: FLUSH_TIMEOUT_MS,
    });
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': `sendonce-${name}` }),
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(share) }),
      spanProcessors: [new ScrubbingProcessor({ exporter })],
    });
    trace.setGlobalTracerProvider(this.#provider);
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    this.telemetry = new BullMQOtel({ tracerName: 'bullmq' }) as Telemetry;
  }

  /** The sender, with a span around each call. */
  traced(sender: MailSender): MailSender {
    return new TracedSender(sender);
  }

  async stop(): Promise<void> {
    // A collector that is away is no reason to say that the stop failed.
    await this.#provider.shutdown().catch(() => undefined);
  }
}

class TracedSender implements MailSender {
  readonly #sender: MailSender;
  readonly #tracer = trace.getTracer('sendonce');

  constructor(sender: MailSender) {
    this.#sender = sender;
  }

  async send(...[mail, claimedAt]: Parameters<MailSender['send']>): Promise<SesAnswer> {
    const tag = (name: string) => mail.EmailTags?.find(({ Name }) => Name === name)?.Value;
    const attributes = {
      'rpc.system': 'aws-api',
      'rpc.service': 'SESv2',
      'rpc.method': 'SendEmail',
      'sendonce.run': tag(TAGS.run),
      'sendonce.chunk': Number(tag(TAGS.chunk)),
      'sendonce.position': Number(tag(TAGS.position)),
    };
    const span = this.#tracer.startSpan('SES SendEmail', { kind: SpanKind.CLIENT, attributes });
    const answer = await this.#sender.send(mail, claimedAt);
    span.setAttribute('sendonce.outcome', answer.outcome);
    if (answer.outcome !== 'accepted')
      span.setStatus({ code: SpanStatusCode.ERROR, message: scrubAddresses(answer.reason) });
    span.end();
    return answer;
  }
}

/** The last net, for messages of errors that others put into their spans. */
class ScrubbingProcessor extends BatchSpanProcessor {
  override onEnd(span: ReadableSpan): void {
    const { status } = span;
    if (status.message) status.message = scrubAddresses(status.message);
    for (const attributes of [span.attributes, ...span.events.map((event) => event.attributes ?? {})])
      for (const [key, value] of Object.entries(attributes))
        if (typeof value === 'string' && value.includes('@')) attributes[key] = scrubAddresses(value);
    super.onEnd(span);
  }
}
