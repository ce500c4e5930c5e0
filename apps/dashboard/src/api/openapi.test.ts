/** The document against the API that runs: neither may know an operation, a status or a field that the other does not. */
import { Validator } from '@seriousme/openapi-schema-validator';
import type { Router } from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Call, openApiServer } from '../testing/apiServer.js';
import { allOperations, api } from './api.js';
import { PROBLEMS } from './problems.js';

interface Schema {
  $ref?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
}
interface OperationDocument {
  operationId: string;
  security: { key: string[] }[];
  responses: Record<string, { content?: Record<string, { schema: Schema }>; headers?: object }>;
}
interface Document {
  openapi: string;
  servers: { url: string }[];
  paths: Record<string, Record<string, OperationDocument>>;
  components: { schemas: Record<string, Schema> };
}

let server: Awaited<ReturnType<typeof openApiServer>>;
let document: Document;
beforeAll(async () => {
  server = await openApiServer();
  document = (await (await server.call('GET /openapi.json', { key: null })).json()) as Document;
});
afterAll(() => server.stop());

const documented = () =>
  Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method, path, operation })),
  );

/** What a value has beside or without what its schema says; the validator of the types is zod's, in api.test.ts. */
function differences(value: unknown, schema: Schema, place = ''): string[] {
  const {
    properties,
    required = [],
    items,
  } = schema.$ref ? (document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] as Schema) : schema;
  if (items)
    return (value as unknown[]).flatMap((item, index) => differences(item, items, `${place}/${index}`));
  if (!properties) return [];
  const given = value as Record<string, unknown>;
  return [
    ...required.filter((name) => !(name in given)).map((name) => `${place}/${name} is missing`),
    ...Object.entries(given).flatMap(([name, part]) =>
      properties[name]
        ? differences(part, properties[name], `${place}/${name}`)
        : [`${place}/${name} is new`],
    ),
  ];
}

describe('the OpenAPI document', () => {
  it('is valid', async () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    const { valid, errors } = await new Validator().validate(structuredClone(document) as never);
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
  });

  it('names every route, and every route is in it', () => {
    const router: Router = api(server, server.config);
    const routes = router.stack.flatMap(({ route }) =>
      route ? route.stack.map(({ method }) => `${method} ${route.path}`) : [],
    );
    const all = new Set(routes.filter((route) => !/^(undefined|get \/(docs|openapi\.json)$)/.test(route)));
    const paths = documented().map(({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`);
    expect([...all].sort()).toEqual(paths.sort());
    expect(allOperations(server, server.config)).toHaveLength(paths.length);
  });

  it('leads with every reference to something that is there', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, to = '']) => to);
    expect(references.length).toBeGreaterThan(10);
    for (const to of references)
      expect(Object.keys(document.components.schemas), to).toContain(to.replace('#/components/schemas/', ''));
  });

  it('tells of every operation what it answers to a right request', async () => {
    const { run } = (await (await server.start('document')).json()) as { run: string };
    const { run: other } = (await (await server.start('another')).json()) as { run: string };
    await server.runs.pause(other, { cause: 'operator', reason: 'for a test' });
    const one = '/suppressions/a@example.com';
    const calls: Record<string, [line: string, call?: Call]> = {
      listCampaigns: ['GET /campaigns'],
      startRun: ['POST /campaigns/news/runs', { headers: { 'idempotency-key': 'a third' } }],
      listRuns: ['GET /runs?limit=2'],
      getRun: [`GET /runs/${run}`],
      getRunReport: [`GET /runs/${run}/report`],
      pauseRun: [`POST /runs/${run}/pause`],
      resumeRun: [`POST /runs/${other}/resume`],
      cancelRun: [`POST /runs/${run}/cancel`],
      sendMessage: [
        'POST /messages',
        {
          headers: { 'idempotency-key': 'document' },
          body: { template: 'receipt', to: 'a@example.com', data: { first_name: 'Jane' } },
        },
      ],
      getMessage: ['GET /messages/document'],
      addSuppressions: ['POST /suppressions', { body: { entries: [{ address: 'a@example.com' }] } }],
      listSuppressions: ['GET /suppressions'],
      putSuppression: [`PUT ${one}`, { body: {} }],
      getSuppression: [`GET ${one}`],
      deleteSuppression: [`DELETE ${one}`],
    };
    const byId = new Map(documented().map((entry) => [entry.operation.operationId, entry]));
    expect(Object.keys(calls).sort()).toEqual([...byId.keys()].sort());
    for (const [id, [line, call]] of Object.entries(calls)) {
      const entry = byId.get(id);
      expect(line.split(' ')[0]?.toLowerCase(), id).toBe(entry?.method);
      const response = await server.call(line, call);
      expect(response.ok, `${id}: ${response.status}`).toBe(true);
      const answer = entry?.operation.responses[response.status];
      expect(answer, `${id}: ${response.status} is not documented`).toBeDefined();
      const [type, content] = Object.entries(answer?.content ?? {})[0] ?? [];
      const text = await response.text();
      if (!type || !content) expect(text, id).toBe('');
      else {
        expect(response.headers.get('content-type'), id).toContain(type);
        for (const part of type === 'application/json' ? [text] : text.trim().split('\n'))
          expect(differences(JSON.parse(part), content.schema), id).toEqual([]);
      }
    }
  });
});

describe('its page', () => {
  it('shows every operation, field and problem, and needs nothing from elsewhere', async () => {
    const html = await (await server.call('GET /docs', { key: null })).text();
    for (const { path, operation } of documented()) {
      expect(html).toContain(`id="${operation.operationId}"`);
      expect(html).toContain(`/api/v1${path}`);
    }
    for (const name of [...Object.keys(document.components.schemas), ...Object.keys(PROBLEMS)])
      expect(html).toContain(`id="${name}"`);
    expect(html).not.toMatch(/<script|\bon\w+="|(src|href)="(https?:)?\/\//);
    const anchors = [...html.matchAll(/href="#([^"]+)"/g)].map(([, id]) => id);
    for (const id of anchors) expect(html).toContain(`id="${id}"`);
  });
});
