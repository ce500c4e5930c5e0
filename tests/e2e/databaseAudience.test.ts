/** An audience in a PostgreSQL that lives on while it is read: rows come, go and change their order, workers die. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resumeRun } from '@sendonce/shared/control';
import { makeCampaignDir, PostgresServer, postgresObstacle, waitFor } from '@sendonce/shared/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../scripts/bootstrap/redis.mjs';
import { System } from './system.js';

const ROWS = 4_000;
const YAML = `from: Dif <updates@dif.io>
subject: News for {{ first_name }}
audience:
  postgres: { url_env: APP_DATABASE_URL, query_file: audience.sql }
  where: plan == "pro"
`;
/** Stops behind the first 3,000 rows while somebody holds the lock. */
const QUERY = `select email, first_name, plan from people
where joined_at < :scheduled_at and (n <= 3000 or pg_advisory_lock_shared(1) is not null)`;

const isCi = Boolean(process.env.CI);

describe.skipIf(postgresObstacle && !isCi)(
  `an audience in PostgreSQL${postgresObstacle ? `: ${postgresObstacle}` : ''}`,
  () => {
    let postgres: PostgresServer;
    let system: System;
    beforeAll(async () => {
      postgres = await PostgresServer.start(await freePort());
      await postgres.query(`create table people (n int, email text, first_name text, plan text, joined_at timestamptz);
        insert into people select n, 'reader' || n || '@example.com', 'Reader ' || n,
          case when n % 4 = 0 then 'free' else 'pro' end, '2026-01-01' from generate_series(1, ${ROWS}) n`);
      const campaignsDir = makeCampaignDir({ yaml: YAML });
      writeFileSync(join(campaignsDir, 'news', 'audience.sql'), QUERY);
      system = await System.start({ campaignsDir, env: { APP_DATABASE_URL: postgres.url } });
    });
    afterAll(async () => {
      await system?.stop();
      await postgres?.stop();
    });

    const write = (query: string) => writeFileSync(join(system.campaignsDir, 'news', 'audience.sql'), query);

    it('is served once, whoever stays in it, when a worker is killed while it is frozen', async () => {
      const release = await postgres.lock(1);
      const victim = system.spawn('worker');
      const run = await system.startRun();
      await waitFor('the third chunk', () => system.ledger.states({ run, chunk: 2 }));
      await system.kill(victim);
      // Some leave, some come, and what was last comes first.
      await postgres.query(`delete from people where n % 10 = 1;
        create table others as select * from people order by n desc;
        truncate people;
        insert into people select * from others;
        insert into people select n, 'reader' || n || '@example.com', 'New', 'pro', '2026-01-01'
          from generate_series(${ROWS + 1}, ${ROWS + 500}) n`);
      await release();
      system.spawn('worker');
      const { numbers } = await system.whenFinished(run);
      const stayed = await postgres.query(`select email from people where plan = 'pro'`);
      const inbox = await system.inbox(run);
      expect(inbox.duplicates).toBe(0);
      expect(inbox.messages).toBe(numbers.sent);
      expect(numbers).toMatchObject({ audience: numbers.sent, duplicates: 0, invalid: 0, in_doubt: 0 });
      const served = new Set(await system.addresses(run));
      expect(stayed.filter(({ email }) => !served.has(String(email)))).toEqual([]);
      // Of those who left, whoever stood in a chunk by then.
      expect(served.size).toBeGreaterThan(stayed.length);
    });

    it('pauses the run when the query is wrong, sends nothing, and goes on once it is mended', async () => {
      write('select email,\n  frist_name as first_name, plan from people');
      const { code, err } = await system.sendonce('validate');
      expect({ code, err }).toEqual({
        code: 2,
        err: expect.stringMatching(/audience\.sql:2 {2}PostgreSQL \(APP_DATABASE_URL\): column "frist_name"/),
      });
      const run = await system.startRun('news', new Date(Date.now() + 60_000));
      const paused = await waitFor('the pause', async () => {
        const record = await system.runs.find(run);
        return record?.status === 'paused' ? record : undefined;
      });
      expect(paused.pauseReason).toContain(
        'audience.sql:2: PostgreSQL (APP_DATABASE_URL): column "frist_name"',
      );
      expect(paused.numbers).toMatchObject({ audience: 0, queued: 0, sent: 0 });
      write('select email, first_name, plan from people limit 100');
      expect(await system.sendonce('validate')).toMatchObject({ code: 0 });
      expect((await system.sendonce('preview', 'news')).out).toMatch(
        /To: r…@example\.com\nSubject: News for /,
      );
      // Away for a moment, too.
      await postgres.halt();
      expect((await system.sendonce('validate')).err).toContain(
        "audience: PostgreSQL (APP_DATABASE_URL) can't be used: the connection is refused",
      );
      await resumeRun(system, run);
      await postgres.resume();
      const { numbers } = await system.whenFinished(run);
      expect(numbers.sent).toBeGreaterThan(0);
      expect(await system.inbox(run)).toEqual({
        messages: numbers.sent,
        recipients: numbers.sent,
        duplicates: 0,
      });
    });
  },
);
