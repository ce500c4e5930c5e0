/** For tests only: the API on a port of its own, on the test run's Redis, with a key for everything. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AuditTrail } from '@sendonce/shared/audit';
import { RunRequests } from '@sendonce/shared/control';
import { MailOutcomes } from '@sendonce/shared/events';
import { Ledger } from '@sendonce/shared/ledger';
import { Clicks, LinkPages } from '@sendonce/shared/links';
import { closeQueues, openQueues } from '@sendonce/shared/queue';
import { Runs } from '@sendonce/shared/run';
import {
  API_SCOPES,
  type ApiKey,
  type ApiScope,
  type Logger,
  makeApiKey,
  makeLogger,
} from '@sendonce/shared/runtime';
import { MessageTemplates, SingleMessages } from '@sendonce/shared/singleMessages';
import { SuppressionList } from '@sendonce/shared/suppression';
import { MESSAGE_YAML, makeCampaignDir, openTestRedis, StubClock } from '@sendonce/shared/testing';
import express from 'express';
import { API_PATH, api } from '../api/api.js';
import { DEFAULT_LIMITS, type Limits } from '../api/limits.js';

const RETENTION_MS = 90 * 86_400_000;

export interface Call {
  key?: string | null;
  headers?: Record<string, string>;
  body?: unknown;
}

export async function openApiServer({
  limits = DEFAULT_LIMITS,
  logger = makeLogger('test', 'silent'),
}: {
  limits?: Limits;
  logger?: Logger;
} = {}) {
  const { redis, prefix, close } = await openTestRedis();
  const clock = new StubClock();
  const queues = openQueues(redis, prefix);
  const ledger = new Ledger({ redis, prefix });
  const runs = new Runs({ redis, prefix, clock });
  const suppressions = new SuppressionList({ redis, prefix, clock });
  const requests = new RunRequests({ clock, queues, redis, runs }, { prefix, retentionMs: RETENTION_MS });
  const clicks = new Clicks({ redis }, { prefix, retentionMs: RETENTION_MS });
  const outcomes = new MailOutcomes({ redis, runs }, { prefix });
  const linkPages = new LinkPages({ redis, prefix, clock });
  const audit = new AuditTrail({ redis, prefix, clock });
  const campaignsDir = makeCampaignDir(
    { settings: 'schedule:\n  cron: 0 10 * * *\n  timezone: UTC\n' },
    { id: 'broken', body: 'Hi {{ frist_name }}\n' },
    { id: 'receipt', yaml: MESSAGE_YAML },
  );
  const templates = new MessageTemplates({ clock }, { campaignsDir });
  const messages = new SingleMessages(
    { clock, linkPages, logger, queues, redis, runs, suppressions, templates },
    {
      prefix,
      journalRetentionMs: RETENTION_MS,
      ledgerRetentionMs: RETENTION_MS,
      durability: { allowsVolatile: true, minReplicas: 0 },
    },
  );
  const services = {
    ...{ audit, clicks, clock, ledger, logger, messages, outcomes },
    ...{ queues, requests, runs, suppressions },
  };
  const keys: ApiKey[] = [];
  const config = { campaignsDir, ledgerRetentionMs: RETENTION_MS, keys, limits };

  const app = express();
  app.use(API_PATH, api(services, config));
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}${API_PATH}`;

  const addKey = (...scopes: ApiScope[]): string => {
    const { key, entry } = makeApiKey(`client${keys.length}`, scopes);
    keys.push({ name: `client${keys.length}`, scopes, hash: entry.split(':')[2] ?? '' });
    return key;
  };
  const everything = addKey(...API_SCOPES);
  /** @param line as `GET /runs`. */
  const call = (line: string, { key = everything, headers = {}, body }: Call = {}): Promise<Response> => {
    const [method = '', path = ''] = line.split(' ');
    return fetch(base + path, {
      method,
      headers: {
        ...(key !== null && { authorization: `Bearer ${key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  };
  const start = (idempotencyKey: string, body: object = {}) =>
    call('POST /campaigns/news/runs', { headers: { 'idempotency-key': idempotencyKey }, body });
  const stop = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await closeQueues(queues);
    await close();
  };
  return { ...services, config, base, redis, prefix, addKey, call, start, stop };
}
