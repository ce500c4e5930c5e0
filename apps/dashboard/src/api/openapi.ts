/** The OpenAPI 3.1 document, made of the same operations and schemas as the routes. */
import { z } from 'zod';
import type { Answer, Operation } from './operation.js';
import { PROBLEMS, type ProblemName } from './problems.js';
import { components, Problem } from './schemas.js';

/** What every operation may answer. */
const ANY_REQUEST: ProblemName[] = [
  'malformed-request',
  'no-key',
  'missing-scope',
  'too-many-requests',
  'unavailable',
];
const ANY_BODY: ProblemName[] = ['body-too-large', 'wrong-media-type'];

export type Json = { [name: string]: Json | string | number | boolean | Json[] | string[] };

/** @param base the path that the API is mounted at. */
export function openapi(operations: readonly Operation[], base: string): Json {
  const paths: Json = {};
  for (const operation of operations) {
    paths[operation.url] = {
      ...(paths[operation.url] as Json),
      [operation.method]: operationJson(operation),
    };
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Sendonce',
      version: '1',
      description: 'Start campaigns from a program, in any language. Every recipient gets a mail once.',
    },
    servers: [{ url: base }],
    paths,
    components: { schemas: componentSchemas(), securitySchemes: { key: KEY_SCHEME } },
  };
}

const KEY_SCHEME: Json = {
  type: 'http',
  scheme: 'bearer',
  description: 'A key that `sendonce api-key` has made. Each operation names the scope that it needs.',
};

function operationJson(operation: Operation): Json {
  const { id, group, summary, description, scope, body, answers } = operation;
  const problems = [...ANY_REQUEST, ...(body ? ANY_BODY : []), ...(operation.problems ?? [])];
  return {
    operationId: id,
    tags: [group],
    summary,
    ...(description && { description }),
    security: [{ key: [scope] }],
    parameters: [
      ...parametersIn('path', operation.path),
      ...parametersIn('query', operation.query),
      ...parametersIn('header', operation.headers),
    ],
    ...(body && { requestBody: bodyJson(body) }),
    responses: {
      ...Object.fromEntries(Object.entries(answers).map(([status, answer]) => [status, answerJson(answer)])),
      ...problemAnswers(problems),
    },
  };
}

function parametersIn(place: 'path' | 'query' | 'header', { shape }: z.ZodObject): Json[] {
  return Object.entries(shape).map(([name, part]) => {
    const { description, ...schema } = schemaJson(part as z.ZodType, 'input');
    return {
      name: place === 'header' ? headerName(name) : name,
      in: place,
      // Path parameters always are; the others when the schema does not do without.
      required: place === 'path' || !z.safeParse(part as z.ZodType, undefined).success,
      ...(description && { description }),
      schema,
    };
  });
}

function bodyJson(body: z.ZodType): Json {
  const content = { 'application/json': { schema: schemaJson(body, 'input') } };
  return { required: !z.safeParse(body, {}).success, content };
}

function answerJson({ description, schema, form, headers }: Answer): Json {
  const type = form === 'lines' ? 'application/x-ndjson' : 'application/json';
  const names = Object.entries(headers ?? {});
  return {
    description,
    ...(names.length > 0 && {
      headers: Object.fromEntries(
        names.map(([name, text]) => [name, { description: text, schema: { type: 'string' } }]),
      ),
    }),
    ...(schema && { content: { [type]: { schema: schemaJson(schema, 'output') } } }),
  };
}

function problemAnswers(names: readonly ProblemName[]): Json {
  const content = { 'application/problem+json': { schema: schemaJson(Problem, 'output') } };
  const byStatus: Record<string, string[]> = {};
  for (const name of names) {
    const { status, title } = PROBLEMS[name];
    byStatus[status] = [...(byStatus[status] ?? []), `${name}: ${title}`];
  }
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, texts]) => [status, { description: texts.join(' '), content }]),
  );
}

function componentSchemas(): Json {
  return Object.fromEntries([...components].map(([name, schema]) => [name, plainSchema(schema, 'output')]));
}

/** A component by its reference; anything else as it is, with references where it holds components. */
function schemaJson(schema: z.ZodType, io: 'input' | 'output'): Json {
  const [name] = [...components].find(([, component]) => component === schema) ?? [];
  return name ? { $ref: referenceTo(name) } : plainSchema(schema, io);
}

function plainSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const registry = z.registry<{ id: string }>();
  for (const [name, component] of components) registry.add(component, { id: name });
  if (!registry.has(schema)) registry.add(schema, { id: 'this' });
  const id = registry.get(schema)?.id ?? 'this';
  const { schemas } = z.toJSONSchema(registry, {
    io,
    uri: referenceTo,
    override: ({ jsonSchema }) => simplify(jsonSchema, io),
  });
  const { $id, $schema, ...plain } = schemas[id] as Record<string, unknown>;
  return plain as Json;
}

function referenceTo(name: string): string {
  return `#/components/schemas/${name}`;
}

/**
 * Clients have to live with fields that are added later: only what they send is closed. What zod checks by patterns and
 * bounds beside a format or a type is noise for readers and generators.
 */
function simplify(schema: z.core.JSONSchema.BaseSchema, io: 'input' | 'output'): void {
  if (io === 'output' && schema.additionalProperties === false) delete schema.additionalProperties;
  if (schema.format === 'date-time') delete schema.pattern;
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum;
}

function headerName(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}
