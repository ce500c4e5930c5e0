/** The CloudFormation template can't be deployed here; what it says is held against what the code does. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse, type ScalarTag } from 'yaml';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** CloudFormation's short forms, as plain values. */
const SHORT_FORMS = ['Ref', 'Sub', 'GetAtt', 'Not', 'Equals'].flatMap((name) => [
  { tag: `!${name}`, resolve: (value: string) => `${name} ${value}` } satisfies ScalarTag,
  { tag: `!${name}`, collection: 'seq' as const },
]);

interface Statement {
  Sid: string;
  Action: string | string[];
  Resource: unknown;
}

const template = parse(readFileSync(join(root, 'deploy/aws/sendonce.yaml'), 'utf8'), {
  customTags: SHORT_FORMS as never,
}) as {
  Parameters: Record<string, unknown>;
  Resources: Record<string, { Type: string; Properties: unknown }>;
  Outputs: Record<string, { Value: string }>;
};
const { Resources, Parameters, Outputs } = template;

/** The properties of a resource, as far as a test looks at them. */
function properties<Shape>(name: string): Shape {
  const resource = Resources[name];
  if (!resource) throw new Error(`The template has no ${name}.`);
  return resource.Properties as Shape;
}

const statements = properties<{ PolicyDocument: { Statement: Statement[] } }>('Policy').PolicyDocument
  .Statement;
const allowed = statements.flatMap(({ Action }) => Action).sort();

/** Commands of the SDK that our code sends, by the permission that each needs. */
const PERMISSIONS: Record<string, string> = {
  SendEmailCommand: 'ses:SendEmail',
  GetAccountCommand: 'ses:GetAccount',
  ListSuppressedDestinationsCommand: 'ses:ListSuppressedDestinations',
  GetEmailIdentityCommand: 'ses:GetEmailIdentity',
  GetConfigurationSetCommand: 'ses:GetConfigurationSet',
  GetConfigurationSetEventDestinationsCommand: 'ses:GetConfigurationSetEventDestinations',
  ReceiveMessageCommand: 'sqs:ReceiveMessage',
  DeleteMessageBatchCommand: 'sqs:DeleteMessage',
  GetQueueAttributesCommand: 'sqs:GetQueueAttributes',
};

function commandsSent(): string[] {
  const sources = ['apps', 'packages/shared'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /(^|\/)src\/.*\.ts$/.test(file) && !/\.test\.ts$|node_modules/.test(file))
      .map((file) => readFileSync(join(root, folder, file), 'utf8')),
  );
  const names = sources.flatMap((source) => source.match(/new (\w+Command)\(/g) ?? []);
  return [...new Set(names.map((name) => name.slice(4, -1)))].sort();
}

describe('the policy', () => {
  it('allows every call that the code makes', () => {
    const commands = commandsSent();
    expect(commands).toContain('SendEmailCommand');
    for (const command of commands) expect(allowed, command).toContain(PERMISSIONS[command]);
  });

  it('allows nothing else, and `*` only where a call knows no resources', () => {
    expect(allowed.filter((action) => !Object.values(PERMISSIONS).includes(action))).toEqual([]);
    const everywhere = statements.filter(({ Resource }) => Resource === '*').map(({ Sid }) => Sid);
    expect(everywhere).toEqual(['KnowTheAccount']);
  });
});

describe('the template', () => {
  it('publishes what doctor asks for', () => {
    const { EventDestination } = properties<{ EventDestination: { MatchingEventTypes: string[] } }>(
      'EventDestination',
    );
    for (const type of ['send', 'delivery', 'bounce', 'complaint', 'reject', 'deliveryDelay'])
      expect(EventDestination.MatchingEventTypes).toContain(type);
  });

  it('refers only to what it has', () => {
    const text = JSON.stringify(template);
    const names = [...text.matchAll(/(?:Ref |GetAtt |\$\{)([A-Za-z]+)(?=["}.])/g)].map(
      ([, name]) => name ?? '',
    );
    const known = [...Object.keys(Resources), ...Object.keys(Parameters), 'AWS'];
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
  });

  it('tells the settings by their names', () => {
    const example = readFileSync(join(root, '.env.example'), 'utf8');
    for (const [name] of (Outputs.Settings?.Value ?? '').matchAll(/[A-Z_]+(?==)/g))
      expect(example).toContain(name);
  });
});
