/**
 * `docker compose up` for real, where there is an engine: with ports and volumes of its own, so that a stack which runs already is
 * left alone. The first build may take minutes.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@sendonce/shared/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/bootstrap/redis.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const project = `sendonce-test-${process.pid}`;
/** An engine, and a client that has BuildKit for it: Docker without its buildx has none. */
const canBuild =
  spawnSync('docker', ['build', '-q', '-'], {
    input: 'FROM scratch\nLABEL sendonce.probe=yes\n',
    env: { ...process.env, DOCKER_BUILDKIT: '1' },
  }).status === 0;
const compose = [['docker', 'compose'], ['docker-compose']].find(
  ([program = '', ...args]) => spawnSync(program, [...args, 'version']).status === 0,
);
const [inbox, dashboard, pub] = await Promise.all([freePort(), freePort(), freePort()]);

const env = {
  ...process.env,
  COMPOSE_PROJECT_NAME: project,
  COMPOSE_CAMPAIGNS: './deploy/compose/campaigns',
  COMPOSE_INBOX_PORT: String(inbox),
  COMPOSE_DASHBOARD_PORT: String(dashboard),
  COMPOSE_PUBLIC_PORT: String(pub),
  // One that only this test has: what somebody has built is not replaced.
  COMPOSE_IMAGE: `${project}:local`,
  DOCKER_BUILDKIT: '1',
  COMPOSE_DOCKER_CLI_BUILD: '1',
};

function run(...args: string[]): string {
  const [program = '', ...first] = compose ?? [];
  const { status, stdout, stderr } = spawnSync(program, [...first, ...args], {
    cwd: root,
    encoding: 'utf8',
    env,
  });
  if (status !== 0) throw new Error(`docker compose ${args.join(' ')}: ${stderr}`);
  return stdout;
}

function containers(): { name: string; health: string; user: string; isReadOnly: boolean }[] {
  const ids = run('ps', '-q').split('\n').filter(Boolean);
  const format = '{{.Name}} {{.State.Health.Status}} {{.Config.User}} {{.HostConfig.ReadonlyRootfs}}';
  const { stdout } = spawnSync('docker', ['inspect', '-f', format, ...ids], { encoding: 'utf8' });
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [name = '', health = '', user = '', readOnly] = line.split(' ');
      return { name, health, user, isReadOnly: readOnly === 'true' };
    });
}

interface Report {
  duplicates: number;
  byRun: Record<string, { recipients: number; messages: number }>;
}

/** Without a connection that is kept: the inbox is started anew in between. */
const report = async (): Promise<Report> =>
  (
    await fetch(`http://127.0.0.1:${inbox}/report`, { headers: { connection: 'close' } })
  ).json() as Promise<Report>;

describe.skipIf(!canBuild || !compose)(
  'docker compose up (skipped without a Docker engine and BuildKit)',
  () => {
    afterAll(() => {
      run('down', '-v', '--remove-orphans');
      spawnSync('docker', ['rmi', env.COMPOSE_IMAGE]);
    }, 120_000);

    it('is healthy within a minute of the build, and the minute after everybody has the sample once', async () => {
      run('build');
      run('up', '-d');
      const isHealthy = () => containers().every(({ health }) => health === 'healthy');
      await waitFor('every container to be healthy', isHealthy, 60_000);
      const all = containers();
      expect(all).toHaveLength(6);
      for (const { name, user, isReadOnly } of all)
        expect({ name, user, isReadOnly }).toEqual({
          name,
          user: expect.stringMatching(/^(node|redis)$/),
          isReadOnly: true,
        });

      const first = async () =>
        Object.values((await report()).byRun).some(({ recipients }) => recipients === 25);
      await waitFor('the first run', first, 90_000);
      expect((await report()).duplicates).toBe(0);
      for (const { messages, recipients } of Object.values((await report()).byRun))
        expect(messages).toBe(recipients);
    }, 900_000);

    it('keeps its runs when everything is taken down, and nobody gets a mail of theirs again', async () => {
      const runs = (): string[] =>
        run('run', '--rm', '-T', 'sendonce', 'status').match(/every-minute--\w+/g) ?? [];
      const before = runs();
      run('down');
      run('up', '-d');
      await waitFor('Redis and the command line', () => runs().length >= before.length, 60_000);
      expect(runs()).toEqual(expect.arrayContaining(before));
      // The inbox forgets; what comes now is of later minutes.
      for (const id of before) expect(Object.keys((await report()).byRun)).not.toContain(id);
    }, 180_000);
  },
);
