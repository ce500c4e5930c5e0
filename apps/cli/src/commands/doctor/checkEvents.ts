/**
 * What deploy/aws/sendonce.yaml makes: a configuration set that publishes events, the way on which
 * they come back. Each of these questions needs a permission; where one is missing, the rest is still checked.
 */

import { EventsQueue, openSesEvents } from '@sendonce/shared/events';
import { systemClock as clock } from '@sendonce/shared/runtime';
import { SesClient } from '@sendonce/shared/ses';
import type { Context } from '../../context.js';
import { type Check, notAllowed, type Observation } from './finding.js';

/** What settles doubts, counts outcomes and protects the reputation. */
const NEEDED_EVENTS = ['SEND', 'DELIVERY', 'BOUNCE', 'COMPLAINT', 'REJECT', 'DELIVERY_DELAY'];

export const checkEvents: Check = {
  subject: 'SES events',
  why: 'Events settle doubts, count bounces and complaints, and protect the reputation.',
  look: async (context) => {
    const { configurationSet } = context.settings.ses;
    if (!configurationSet) {
      return [
        {
          check: 'SES events',
          verdict: 'warning',
          detail:
            'SES_CONFIGURATION_SET is not set: no events, so doubts wait for an operator and bounces go unseen',
          mend: 'docs/aws.md, step 2',
        },
      ];
    }
    return [
      await checkConfigurationSet(context, configurationSet),
      ...(await checkQueue(context)),
      await checkStream(context),
    ];
  },
};

async function checkConfigurationSet({ settings }: Context, name: string): Promise<Observation> {
  const check = `Configuration set ${name}`;
  const ses = new SesClient(settings.ses);
  try {
    const published = await ses.publishedEvents(name);
    const missing = NEEDED_EVENTS.filter((type) => !published.includes(type));
    return {
      check,
      verdict: missing.length === 0 ? 'ok' : 'error',
      detail:
        missing.length === 0
          ? 'publishes all events that are needed'
          : `does not publish ${missing.join(', ')}`,
      mend: 'Add an event destination with these types, or deploy deploy/aws/sendonce.yaml.',
    };
  } catch (error) {
    if ((error as Error).name === 'NotFoundException')
      return { check, verdict: 'error', detail: 'there is no such set', mend: 'docs/aws.md, step 2' };
    return notAllowed(check, error, 'ses:GetConfigurationSetEventDestinations');
  } finally {
    ses.close();
  }
}

async function checkQueue({ settings }: Context): Promise<Observation[]> {
  const { eventsQueueUrl: queueUrl, region } = settings.ses;
  if (!queueUrl) return [];
  const check = 'Queue of events';
  try {
    const { waiting, hasDeadLetters } = await EventsQueue.look({ queueUrl, region });
    return [
      {
        check,
        verdict: hasDeadLetters ? 'ok' : 'warning',
        detail: `${waiting} wait${hasDeadLetters ? '' : '; it has no dead-letter queue, so a message that is no event comes for ever'}`,
        mend: 'Give it a redrive policy, as deploy/aws/sendonce.yaml does.',
      },
    ];
  } catch (error) {
    return [notAllowed(check, error, 'sqs:GetQueueAttributes')];
  }
}

/** Whether events really come. */
async function checkStream({ ledger, redis, runs, settings, suppressions }: Context): Promise<Observation> {
  const { prefix } = settings.redis;
  const { events } = openSesEvents({ clock, ledger, redis, runs, suppressions }, { ...settings, prefix });
  const alive = await events.aliveBetween();
  return {
    check: 'SES events',
    verdict: alive ? 'ok' : 'warning',
    detail: alive
      ? `the latest is of a mail of ${new Date(alive.latestMailAt).toISOString()}`
      : 'none has come yet',
    mend: 'Start a worker (SES_EVENTS_QUEUE_URL) or the dashboard (PUBLIC_URL/hooks/ses), `test-send` a mail, and look again.',
  };
}
