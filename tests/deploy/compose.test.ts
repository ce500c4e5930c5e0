/**
 * The Dockerfile and the Compose files, held against each other and the settings; and `docker compose` itself, where there is an
 * engine. Without one their text is what can be checked.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SETTING_NAMES } from '@sendonce/shared/runtime';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (name: string): string => readFileSync(join(root, name), 'utf8');

interface ComposeService {
  image?: string;
  build?: unknown;
  user?: string;
  init?: boolean;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  container_name?: string;
  ports?: unknown[];
  scale?: number;
  restart?: string;
  environment?: Record<string, unknown>;
  healthcheck?: { test?: string[]; disable?: boolean };
  depends_on?: Record<string, { condition: string }>;
  mem_limit?: string;
  logging?: unknown;
  command?: string | string[];
}

interface ComposeFile {
  version?: string;
  services: Record<string, ComposeService>;
}

const FILES = ['docker-compose.yml', 'compose.production.yml', 'compose.cluster.yml'] as const;
const parsed = Object.fromEntries(
  FILES.map((name) => [name, parse(read(name), { merge: true }) as ComposeFile]),
) as Record<(typeof FILES)[number], ComposeFile>;
const { 'docker-compose.yml': local, 'compose.production.yml': production } = parsed;
const cluster = withOverride(local, parsed['compose.cluster.yml']);

/** What starts: the cluster's file only says what differs. */
const STACKS = { local, production, cluster };
const services = Object.entries(STACKS).flatMap(([stack, file]) =>
  Object.entries(file.services).map(([name, service]) => ({ of: `${stack}: ${name}`, name, service })),
);
const longRunning = services.filter(({ service }) => service.restart !== 'no');

/** As Compose does: mappings are merged, single values replaced. */
function withOverride(base: ComposeFile, override: ComposeFile): ComposeFile {
  const merged = { ...base.services };
  for (const [name, changes] of Object.entries(override.services)) {
    const { environment, depends_on } = merged[name] ?? {};
    merged[name] = {
      ...merged[name],
      ...changes,
      environment: { ...environment, ...changes.environment },
      depends_on: { ...depends_on, ...changes.depends_on },
    };
  }
  return { services: merged };
}

describe('every service of every Compose file', () => {
  it.each(services)('$of can change nothing but its data, and become nobody else', ({ service }) => {
    expect(service).toMatchObject({
      init: true,
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
    // Our own image says so itself; Redis's starts as root to change the owner of its data.
    if (service.image?.startsWith('redis:')) expect(service.user).toBe('redis');
    else expect(service.user).toBeUndefined();
  });

  it.each(services)('$of is reached from this machine at the most', ({ service }) => {
    for (const port of service.ports ?? [])
      expect(port).toMatch(/^127\.0\.0\.1:\$\{COMPOSE_\w+_PORT:-\d+\}:\d+$/);
  });

  it.each(longRunning)('$of says how it is, and is waited for', ({ service }) => {
    expect(service.restart).toBe('unless-stopped');
    const test = service.healthcheck?.test?.join(' ') ?? read('Dockerfile');
    expect(test).toMatch(/healthcheck\.mjs|redis-cli .*ping \| grep -q PONG/);
    for (const [, { condition }] of Object.entries(service.depends_on ?? {}))
      expect(['service_healthy', 'service_completed_successfully']).toContain(condition);
  });

  it.each(services)('$of has an image with its full version', ({ service }) => {
    if (service.image?.startsWith('$')) return;
    expect(service.image).toMatch(/^redis:\d+\.\d+\.\d+-\w+$/);
  });

  it('is a worker any number of times', () => {
    for (const { services } of Object.values(STACKS)) {
      const { worker } = services;
      expect(worker).toMatchObject({ scale: expect.any(Number) });
      expect(worker).not.toHaveProperty('container_name');
      expect(worker).not.toHaveProperty('ports');
    }
    expect(local.services.worker?.scale).toBe(2);
    expect(cluster.services.worker?.scale).toBe(4);
  });

  it('has one build of an image, so that none races for its name', () => {
    for (const { services } of Object.values(STACKS))
      expect(Object.values(services).filter(({ build }) => build)).toHaveLength(1);
  });

  it('keeps the ledger', () => {
    const nodes = services.filter(({ service }) => String(service.command).includes('--appendonly'));
    expect(nodes).toHaveLength(5);
    for (const { service } of nodes)
      expect(service.command).toMatch(/--appendonly yes --appendfsync always --maxmemory-policy noeviction/);
  });

  it('has every key once, also the one that merges, which Compose 2 refuses twice', () => {
    for (const name of FILES) expect(() => parse(read(name), { merge: false })).not.toThrow();
  });

  it('needs no version, which Compose 2 warns of', () => {
    for (const file of Object.values(parsed)) expect(file.version).toBeUndefined();
  });
});

describe('the local stack', () => {
  it('can not reach Amazon, whatever stands in .env', () => {
    const fixed = ['REDIS_URL', 'AWS_ENDPOINT_URL_SESV2', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
    for (const name of ['scheduler', 'worker', 'dashboard', 'sendonce']) {
      const { environment = {} } = local.services[name] ?? {};
      for (const variable of fixed) {
        expect(environment[variable], variable).toEqual(expect.any(String));
        expect(environment[variable], variable).not.toContain('$');
      }
    }
  });
});

describe('the production stack', () => {
  it('has no local SES and limits for everything', () => {
    expect(Object.keys(production.services)).not.toContain('ses-local');
    for (const { mem_limit, logging } of Object.values(production.services))
      expect({ mem_limit, logging }).toEqual({ mem_limit: expect.any(String), logging: expect.anything() });
  });

  it('tells no secret by its environment', () => {
    const secret = /PASSWORD|SECRET|API_KEYS|USERS|REDIS_URL|ACCESS_KEY|TOKEN/;
    for (const [name, { environment = {} }] of Object.entries(production.services))
      for (const [variable, value] of Object.entries(environment))
        if (secret.test(variable)) expect(value, `${name}: ${variable}`).toMatch(/^\/run\/secrets\//);
  });
});

describe('.env.example', () => {
  const explained = [...read('.env.example').matchAll(/^#?([A-Z][A-Z0-9_]+)=/gm)].map(([, name]) => name);

  it('explains every setting once, and none that there is not', () => {
    expect(SETTING_NAMES.filter((name) => !explained.includes(name))).toEqual([]);
    expect(new Set(explained).size).toBe(explained.length);
    const others =
      /^(APP_DATABASE_URL|AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY)|COMPOSE_\w+|IMAGE_\w+|SOURCE_DATE_EPOCH|SES_LOCAL_\w+)$/;
    expect(explained.filter((name = '') => !SETTING_NAMES.includes(name) && !others.test(name))).toEqual([]);
  });

  it('explains everything that the Compose files ask for', () => {
    const asked = FILES.flatMap((file) =>
      [...read(file).matchAll(/\$\{(\w+)/g), ...read(file).matchAll(/^ {2,6}([A-Z]\w+):$/gm)].map(
        ([, name]) => name,
      ),
    );
    expect(asked.filter((name) => !explained.includes(name))).toEqual([]);
  });

  it('has no setting that a stack neither fixes, nor takes, nor leaves to its image', () => {
    // A container is one process: the image has one health port for all. Who logs in otherwise needs a file of one's own.
    const left =
      /^(HEALTH_HOST|\w+_HEALTH_PORT|ALLOW_VOLATILE_REDIS|\w+_PORT|OIDC_\w+|DASHBOARD_(PASSWORD|USERS|PROXIES)\w*)$/;
    const awayFromHere = /^(SES_EVENTS_QUEUE_URL|SNS_LOCAL_CERTIFICATE_URL|\w+_FILE)$/;
    for (const stack of [local, production]) {
      const known = Object.keys({
        ...stack.services.worker?.environment,
        ...stack.services.dashboard?.environment,
      });
      const missing = SETTING_NAMES.filter(
        (name) => !known.includes(name) && !known.includes(`${name}_FILE`) && !left.test(name),
      );
      expect(missing.filter((name) => !awayFromHere.test(name))).toEqual([]);
    }
  });
});

describe('the Dockerfile', () => {
  const dockerfile = read('Dockerfile');
  const instructions = dockerfile.replace(/\\\n/g, ' ').split('\n');
  const last = instructions.slice(instructions.findLastIndex((line) => line.startsWith('FROM ')));

  it('starts from images with their full version, and an LTS release of Node', () => {
    const froms = instructions.filter((line) => line.startsWith('FROM ')).map((line) => line.split(' ')[1]);
    const stages = [...dockerfile.matchAll(/^FROM .* AS (\w+)$/gm)].map(([, name]) => name);
    const images = froms.filter((name) => !stages.includes(name));
    for (const image of images) expect(image).toMatch(/^node:\d*[02468]\.\d+\.\d+-\w+-slim$/);
    expect(new Set(images).size).toBe(1);
  });

  it('takes the lockfile as it is', () => {
    const installs = instructions.filter((line) => /pnpm@\S+ install/.test(line));
    expect(installs).toHaveLength(2);
    for (const install of installs) expect(install).toMatch(/pnpm@\d+\.\d+\.\d+ install --frozen-lockfile/);
  });

  it('knows every package of the repo, so that the lockfile fits', () => {
    const packages = ['apps', 'packages'].flatMap((folder) =>
      readdirSync(join(root, folder)).map((name) => `${folder}/${name}`),
    );
    for (const name of packages) expect(dockerfile).toContain(`COPY ${name}/package.json ${name}/`);
  });

  it('compiles nothing that lies beside apps and packages, which are all that it has', () => {
    for (const folder of ['apps', 'packages'])
      for (const file of readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })) {
        if (!/^[^/]+\/src\/.*(?<!\.test)\.ts$/.test(file)) continue;
        const outside = '../'.repeat(file.split('/').length);
        expect(read(join(folder, file)), file).not.toContain(`from '${outside}`);
      }
  });

  it('ends as nobody special, with node as the process that is told to stop', () => {
    expect(last).toContain('USER node');
    expect(last).toContain('STOPSIGNAL SIGTERM');
    expect(last.filter((line) => /^(RUN|ENTRYPOINT)/.test(line))).toEqual([]);
    expect(last.find((line) => line.startsWith('CMD'))).toMatch(/^CMD \["node", /);
    expect(last.find((line) => line.startsWith('HEALTHCHECK'))).toContain('healthcheck.mjs');
  });

  it('holds no secret, and is sent nothing but what it copies', () => {
    expect(dockerfile).not.toMatch(/PASSWORD|SECRET|TOKEN|ACCESS_KEY/i);
    expect(read('.dockerignore')).toMatch(/^\*$/m);
    expect(read('.dockerignore')).toMatch(/^\*\*\/\.env\*$/m);
  });

  it('runs workers as `npm run worker` does', () => {
    const { worker } = local.services;
    expect(JSON.parse(last.find((line) => line.startsWith('CMD'))?.slice(4) ?? '')).toEqual(worker?.command);
  });
});

/** `docker compose`, or Debian's `docker-compose` 1.29; neither needs an engine to check files. */
const compose = [['docker', 'compose'], ['docker-compose']].find(
  ([program = '', ...args]) => spawnSync(program, [...args, 'version']).status === 0,
);

describe('Compose itself', () => {
  it
    .skipIf(!compose)
    .each([
      ['docker-compose.yml'],
      ['docker-compose.yml', 'compose.cluster.yml'],
      ['compose.production.yml'],
    ])('takes %s %s', (...names) => {
    const [program = '', ...args] = compose ?? [];
    const files = names.filter(Boolean).flatMap((name) => ['-f', name]);
    const { status, stderr } = spawnSync(program, [...args, ...files, 'config', '-q'], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, PUBLIC_URL: 'https://mail.example.com' },
    });
    expect(stderr.replace(/^time=.*level=warning.*\n/gm, '')).toBe('');
    expect(status).toBe(0);
  });
});
