/**
 * The API's OpenAPI document as TypeScript: what it takes, what it answers, and where. `packages/client/src/api.ts` is this
 * text, so that the client can't know an operation or a field that the API does not, or the other way round. It knows the
 * parts of JSON Schema that the document is made of, and refuses others.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: string[];
  const?: string;
  description?: string;
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
}

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  description?: string;
  schema: Schema;
}

interface Operation {
  operationId: string;
  summary: string;
  parameters: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}

export interface ApiDocument {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

interface Route {
  method: string;
  path: string;
  operation: Operation;
}

const HEAD = `/**
 * What the API takes and answers, word for word. Made from its OpenAPI document by tests/client/apiTypes.ts, and not edited:
 * \`npm test -- tests/client -u\` makes it anew.
 */
`;
const BIOME = fileURLToPath(new URL('../../node_modules/@biomejs/biome/bin/biome', import.meta.url));

export function routesOf({ paths }: ApiDocument): Route[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

/** @throws when the document holds something that this does not know. */
export function apiTypes(document: ApiDocument): string {
  const routes = routesOf(document);
  const components = Object.entries(document.components.schemas).map(
    ([name, schema]) => `${comment(schema.description)}export interface ${name} ${objectType(schema)}`,
  );
  const operations = routes.map(
    ({ operation }) => `${comment(operation.summary)}${operation.operationId}: ${operationType(operation)};`,
  );
  const lines = routes.map(({ method, path, operation }) => `${operation.operationId}: '${method} ${path}',`);
  return formatted(`${HEAD}
${components.join('\n\n')}

/** By the document's \`operationId\`. */
export interface Operations {
${operations.join('\n')}
}

/** Method and path of each. */
export const ROUTES = {
${lines.join('\n')}
} as const satisfies Record<keyof Operations, string>;
`);
}

function operationType({ parameters, requestBody, responses }: Operation): string {
  const parts = [
    ...(['path', 'query', 'header'] as const).map((place) => parameterPart(place, parameters)),
    ...Object.values(requestBody?.content ?? {}).map(({ schema }) => partOf('body', schema, 'body')),
  ];
  const answers = Object.entries(responses)
    .filter(([status]) => status.startsWith('2'))
    .map(([, { content }]) => Object.values(content ?? {})[0]?.schema)
    .map((schema) => (schema ? typeOf(schema) : 'undefined'));
  const input = parts.filter(Boolean).join(' ');
  return `{ input: ${input ? `{ ${input} }` : 'Record<string, never>'}; answer: ${[...new Set(answers)].join(' | ')} }`;
}

function parameterPart(place: Parameter['in'], parameters: readonly Parameter[]): string {
  const here = parameters.filter((parameter) => parameter.in === place);
  if (here.length === 0) return '';
  const properties = Object.fromEntries(
    here.map(({ name, description, schema }) => [name, { ...schema, ...(description && { description }) }]),
  );
  const required = here.filter((parameter) => parameter.required).map(({ name }) => name);
  return partOf(place === 'header' ? 'headers' : place, { type: 'object', properties, required }, place);
}

/** A part of a request may be left out when none of its fields is needed. */
function partOf(name: string, schema: Schema, place: string): string {
  if (schema.type === 'object' && Object.keys(schema.properties ?? {}).length === 0) return '';
  const isNeeded = place === 'path' || (schema.required ?? []).length > 0;
  return `${name}${isNeeded ? '' : '?'}: ${typeOf(schema, { isInput: true })};`;
}

/** @param isInput then what may be missing may be `undefined` as well. */
function typeOf(schema: Schema, { isInput = false } = {}): string {
  const { $ref, type, items, anyOf } = schema;
  if ($ref) return $ref.split('/').at(-1) ?? '';
  if (schema.const !== undefined) return literal(schema.const);
  if (schema.enum) return schema.enum.map(literal).join(' | ');
  if (anyOf) return union(anyOf.map((one) => typeOf(one, { isInput })));
  if (Array.isArray(type)) return union(type.map((one) => typeOf({ ...schema, type: one }, { isInput })));
  switch (type) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return type;
    case 'integer':
      return 'number';
    case 'array':
      return `(${typeOf(items ?? {}, { isInput })})[]`;
    case 'object':
      return objectType(schema, { isInput });
    case undefined:
      return 'unknown';
    default:
      throw new Error(
        `tests/client/apiTypes.ts does not know this of the document: ${JSON.stringify(schema)}`,
      );
  }
}

/** `*` beside any text is any text. */
function union(types: string[]): string {
  const isText = types.includes('string');
  return [...new Set(types.filter((type) => !(isText && type.startsWith("'"))))].join(' | ');
}

function objectType(schema: Schema, { isInput = false } = {}): string {
  const { properties = {}, required = [], additionalProperties } = schema;
  if (Object.keys(properties).length === 0 && additionalProperties !== false)
    return typeof additionalProperties === 'object'
      ? `Record<string, ${typeOf(additionalProperties, { isInput })}>`
      : 'Record<string, unknown>';
  const fields = Object.entries(properties).map(([name, part]) => {
    const isNeeded = required.includes(name);
    const key = /^\w+$/.test(name) ? name : literal(name);
    const orUndefined = isInput && !isNeeded ? ' | undefined' : '';
    return `${comment(part.description)}${key}${isNeeded ? '' : '?'}: ${typeOf(part, { isInput })}${orUndefined};`;
  });
  const hasComments = Object.values(properties).some(({ description }) => description);
  return isInput && !hasComments ? `{ ${fields.join(' ')} }` : `{\n${fields.join('\n')}\n}`;
}

function literal(text: string): string {
  return `'${text.replace(/['\\]/g, '\\$&')}'`;
}

function comment(text: string | undefined): string {
  return text ? `/** ${text.replaceAll('*/', '* /')} */\n` : '';
}

function formatted(text: string): string {
  const args = [BIOME, 'format', '--stdin-file-path=packages/client/src/api.ts'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { input: text, encoding: 'utf8' });
  if (status !== 0) throw new Error(`biome could not format the types: ${stderr}`);
  return stdout;
}
