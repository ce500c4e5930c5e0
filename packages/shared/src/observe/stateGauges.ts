/** The gauges of the whole installation: their names are what dashboards and rules ask for. */
import type { ProcessMetrics } from './processMetrics.js';

export function makeStateGauges(metrics: ProcessMetrics) {
  return {
    redisUp: metrics.gauge(
      'sendonce_redis_up',
      'Whether the state of the installation could be read from Redis.',
    ),
    jobs: metrics.gauge('sendonce_queue_jobs', 'Jobs of BullMQ, by queue and state.', ['queue', 'state']),
    runs: metrics.gauge('sendonce_open_runs', 'Runs that are not closed, by status.', ['status']),
    paused: metrics.gauge('sendonce_paused_runs', 'Paused runs, by what paused them.', ['cause']),
    recipients: metrics.gauge(
      'sendonce_open_recipients',
      'Recipients of open runs that somebody has to work on, by state; in_doubt may need a person.',
      ['state'],
    ),
    due: metrics.gauge(
      'sendonce_due_recipients',
      'Recipients of runs that are sending, whose time has come and who are queued or claimed.',
    ),
    accountOpen: metrics.gauge('sendonce_account_open', 'Whether SES lets the account send.'),
    rate: metrics.gauge('sendonce_account_rate', 'Recipients a second that SES grants the account.'),
    quotaMax: metrics.gauge(
      'sendonce_quota_max',
      'Recipients in 24 hours that SES grants; missing: no limit.',
    ),
    quotaUsed: metrics.gauge(
      'sendonce_quota_used',
      'Recipients of the last 24 hours, as SES counted them last.',
    ),
    bounces: metrics.gauge('sendonce_bounce_ratio', 'Share of mails of 24 hours that bounced for good.'),
    complaints: metrics.gauge(
      'sendonce_complaint_ratio',
      'Share of mails of 24 hours that were complained of.',
    ),
  };
}
