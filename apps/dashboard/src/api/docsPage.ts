/** The OpenAPI document as a page for people: made once, by us, without a script and without anything from elsewhere. */
import { type Html, html } from '../operator/html.js';
import { layout } from '../operator/layout.js';
import type { Json } from './openapi.js';
import { PROBLEMS } from './problems.js';

interface Parameter {
  name: string;
  in: string;
  required: boolean;
  description?: string;
  schema: Schema;
}

interface Schema {
  $ref?: string;
  type?: string;
  enum?: string[];
  const?: string;
  format?: string;
  default?: unknown;
  description?: string;
  items?: Schema;
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
}

interface OperationDocument {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  security: { key: string[] }[];
  parameters: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { description: string; content?: Record<string, { schema: Schema }> }>;
}

interface Document {
  info: { description: string };
  servers: { url: string }[];
  paths: Record<string, Record<string, OperationDocument>>;
  components: { schemas: Record<string, Schema>; securitySchemes: { key: { description: string } } };
}

type Row = [name: string, schema: Schema, isRequired: boolean, description: string | undefined];

export function docsPage(json: Json): string {
  const document = json as unknown as Document;
  const base = document.servers[0]?.url ?? '';
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path: base + path, method, operation })),
  );
  return layout({
    title: 'HTTP API',
    isPlain: true,
    body: html`<h1>HTTP API</h1><p><a href="${base}/openapi.json">openapi.json</a></p>
        <p>${document.info.description} ${prose(document.components.securitySchemes.key.description)}
          It goes into the header <code>Authorization: Bearer so_…</code>.</p>
        <ul>${operations.map(({ path, method, operation }) => html`<li><a href="#${operation.operationId}">${operation.summary}</a> <code>${method.toUpperCase()} ${path}</code></li>`)}</ul>
        ${operations.map(({ path, method, operation }) => operationCard(`${method.toUpperCase()} ${path}`, operation))}
        ${Object.entries(document.components.schemas).map(([name, schema]) => schemaCard(name, schema))}
        ${problemsCard()}
`,
  });
}

function operationCard(line: string, operation: OperationDocument): Html {
  const { operationId, summary, description, parameters, requestBody, responses, security } = operation;
  const body = requestBody?.content['application/json']?.schema;
  return html`<section class="card" id="${operationId}">
    <h2>${summary}</h2>
    <p><code>${line}</code> <span class="status">${security[0]?.key[0]}</span></p>
    ${description ? html`<p>${prose(description)}</p>` : ''}
    ${parameters.length > 0 ? table('parameter', parameters.map(parameterRow)) : ''}
    ${body?.properties ? table('body', rowsOf(body)) : ''}
    <table><thead><tr><th>answer</th><th>holds</th><th>means</th></tr></thead><tbody>${Object.entries(
      responses,
    ).map(
      ([status, { description: text, content }]) =>
        html`<tr><td>${status}</td><td>${typeOf(Object.values(content ?? {})[0]?.schema ?? {})}</td><td>${prose(text)}</td></tr>`,
    )}</tbody></table></section>`;
}

function schemaCard(name: string, schema: Schema): Html {
  return html`<section class="card" id="${name}"><h2>${name}</h2>
    ${schema.description ? html`<p>${prose(schema.description)}</p>` : ''}
    ${table('field', rowsOf(schema))}</section>`;
}

function problemsCard(): Html {
  return html`<section class="card"><h2>Problems</h2>
    <table><thead><tr><th>type</th><th>status</th><th>means</th></tr></thead><tbody>${Object.entries(
      PROBLEMS,
    ).map(
      ([name, { status, title }]) =>
        html`<tr id="${name}"><td>${name}</td><td>${status}</td><td>${title}</td></tr>`,
    )}</tbody></table></section>`;
}

function parameterRow({ name, in: place, schema, required, description }: Parameter): Row {
  return [place === 'path' ? `{${name}}` : name, schema, required, description];
}

function rowsOf({ properties = {}, required = [] }: Schema): Row[] {
  return Object.entries(properties).map(([name, schema]) => [
    name,
    schema,
    required.includes(name),
    schema.description,
  ]);
}

function table(title: string, rows: Row[]): Html {
  return html`<table><thead><tr><th>${title}</th><th>holds</th><th>means</th></tr></thead><tbody>${rows.map(
    ([name, schema, isRequired, description]) =>
      html`<tr><td><code>${name}</code>${isRequired ? '' : ' (optional)'}</td><td>${typeOf(schema)}</td><td>${prose(description)}${schema.default === undefined ? '' : html` Default: <code>${String(schema.default)}</code>.`}</td></tr>`,
  )}</tbody></table>`;
}

/** `code` in texts, as in Markdown. */
function prose(text = ''): Html[] {
  return text.split('`').map((part, index) => (index % 2 === 0 ? html`${part}` : html`<code>${part}</code>`));
}

/** A line about what a schema takes; components by their links. */
function typeOf(schema: Schema): Html | string {
  const name = schema.$ref?.split('/').at(-1);
  if (name) return html`<a href="#${name}">${name}</a>`;
  if (schema.items) return html`list of ${typeOf(schema.items)}`;
  if (schema.anyOf)
    return html`${schema.anyOf.map((part, index) => html`${index > 0 ? ' or ' : ''}${typeOf(part)}`)}`;
  if (schema.enum) return schema.enum.join(' | ');
  if (schema.properties)
    return html`{ ${Object.entries(schema.properties).map(([field, part], index) => html`${index > 0 ? ', ' : ''}${field}: ${typeOf(part)}`)} }`;
  return schema.const ?? schema.format ?? schema.type ?? '';
}
