/**
 * What the API takes and answers, word for word. Made from its OpenAPI document by tests/client/apiTypes.ts, and not edited:
 * `npm test -- tests/client -u` makes it anew.
 */

/** After the last queued one, audience = duplicates + invalid + suppressed + sent + rejected + in_doubt + cancelled. */
export interface Run {
  /** Its id: the campaign and the scheduled time. */
  run: string;
  campaign: string;
  origin: 'schedule' | 'manual' | 'api' | 'messages';
  /** collecting: single messages are taken in. settling: only doubts are left. finished: everybody is in a final state. */
  status: 'freezing' | 'collecting' | 'sending' | 'settling' | 'paused' | 'cancelled' | 'finished';
  pause_reason?: string;
  pause_cause?: 'operator' | 'campaign' | 'account' | 'quota' | 'reputation' | 'redis';
  /** Not before this time it is tried again by itself. */
  retry_at?: string;
  scheduled_at: string;
  created_at: string;
  frozen_at?: string;
  paused_at?: string;
  cancelled_at?: string;
  finished_at?: string;
  /** When its last part is due, where everybody gets it on their own clock; else missing. */
  last_due_at?: string;
  chunks: number;
  audience: number;
  duplicates: number;
  invalid: number;
  suppressed: number;
  queued: number;
  claimed: number;
  sent: number;
  rejected: number;
  in_doubt: number;
  cancelled: number;
  delivered: number;
  bounced: number;
  bounced_transient: number;
  complained: number;
  delayed: number;
  unsubscribed: number;
}

export interface Report {
  run: string;
  campaign: string;
  /** collecting: single messages are taken in. settling: only doubts are left. finished: everybody is in a final state. */
  status: 'freezing' | 'collecting' | 'sending' | 'settling' | 'paused' | 'cancelled' | 'finished';
  scheduled_at: string;
  finished_at: string | null;
  audience: number;
  duplicates: number;
  invalid: number;
  suppressed: number;
  queued: number;
  claimed: number;
  sent: number;
  rejected: number;
  in_doubt: number;
  cancelled: number;
  delivered: number;
  bounced: number;
  bounced_transient: number;
  complained: number;
  delayed: number;
  unsubscribed: number;
  clicks: {
    human: number;
    scanner: number;
    /** Different people, within 1%. */
    unique: number;
    /** People for each mail that arrived, 0 to 1. */
    rate: number;
    /** `null`: links that were not sent. */
    by_link: {
      link: string | null;
      human: number;
      scanner: number;
    }[];
    by_hour: {
      hour: string | null;
      human: number;
      scanner: number;
    }[];
  };
}

export interface Message {
  /** The Idempotency-Key. */
  key: string;
  template: string;
  /** Of the mail: in_doubt is settled by events of SES, by proof of absence, or by an operator. */
  status: 'queued' | 'claimed' | 'sent' | 'rejected' | 'in_doubt' | 'suppressed' | 'cancelled';
  accepted_at: string;
  /** The run that it was collected in. */
  run: string;
  /** SES's. */
  message_id?: string;
  sent_at?: string;
  /** Why it was not sent, or is in doubt. */
  reason?: string;
  outcomes?: ('delivered' | 'bounced' | 'bounced_transient' | 'complained' | 'delayed')[];
}

export interface CampaignProblem {
  campaign: string;
  /** From the folder of the campaigns. */
  file: string;
  line?: number;
  column?: number;
  message: string;
  expected?: string;
}

export interface SuppressionEntry {
  campaign: string;
  reason: 'unsubscribe' | 'import' | 'ses' | 'manual' | 'bounce' | 'complaint';
  time: string;
  /** Whose mail it was, where there is one. */
  run?: string;
}

export interface Suppression {
  address: string;
  campaign: string;
  reason: 'unsubscribe' | 'import' | 'ses' | 'manual' | 'bounce' | 'complaint';
  time: string;
  /** Whose mail it was, where there is one. */
  run?: string;
}

export interface AddressSuppressions {
  address: string;
  entries: SuppressionEntry[];
}

/** RFC 9457. `type` leads to its line on this page. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail?: string;
  errors?: {
    detail: string;
    pointer?: string;
    parameter?: string;
  }[];
  problems?: CampaignProblem[];
  scope?: string;
  /** As it is. */
  run?: Run;
}

/** By the document's `operationId`. */
export interface Operations {
  /** List the campaigns */
  listCampaigns: {
    input: Record<string, never>;
    answer: {
      campaigns: {
        campaign: string;
        name?: string;
        subject: string;
        cron?: string;
        timezone?: string;
        /** Everybody gets it on their own clock; next_at is when it comes to the first zone. */
        timezone_field?: string;
        /** Missing: nothing is scheduled. */
        next_at?: string;
      }[];
      /** Of the files of campaigns that are not listed. */
      problems: CampaignProblem[];
    };
  };
  /** Start a run */
  startRun: {
    input: {
      path: { campaign: string };
      headers: {
        /** New for every run, the same when a request is repeated; at most 255 characters. */
        'Idempotency-Key': string;
      };
      body?: {
        /** The occurrence that the run is for, to the second; default: now. Not in the future: a schedule is a matter of the campaign. A run of this time that is there, whoever started it, is this run. */
        scheduled_at?: string | undefined;
      };
    };
    answer: Run;
  };
  /** List the runs */
  listRuns: {
    input: {
      query?: {
        /** Only its runs. */
        campaign?: string | undefined;
        /** Runs a page. */
        limit?: number | undefined;
        /** The next page: what the page before has as `before`. */
        before?: string | undefined;
      };
    };
    answer: {
      runs: Run[];
      /** Give this back for the next page; missing on the last. */
      before?: string;
    };
  };
  /** Get a run */
  getRun: { input: { path: { run: string } }; answer: Run };
  /** Get what came of a run */
  getRunReport: { input: { path: { run: string } }; answer: Report };
  /** Pause a run */
  pauseRun: {
    input: {
      path: { run: string };
      body?: {
        /** For operators, without addresses; default: which key it was. */
        reason?: string | undefined;
      };
    };
    answer: Run;
  };
  /** Go on with a paused run */
  resumeRun: { input: { path: { run: string } }; answer: Run };
  /** Cancel a run, for good */
  cancelRun: {
    input: {
      path: { run: string };
      body?: {
        /** For operators, without addresses; default: which key it was. */
        reason?: string | undefined;
      };
    };
    answer: Run;
  };
  /** Send a message */
  sendMessage: {
    input: {
      headers: {
        /** New for every message, the same when a request is repeated; at most 255 characters. */
        'Idempotency-Key': string;
      };
      body: {
        /** A campaign that says `audience: messages`. */
        template: string;
        /** An address. */
        to: string;
        /** Merge fields, named as in the template; values of any kind. */
        data?: Record<string, unknown> | undefined;
      };
    };
    answer: Message;
  };
  /** Get a message */
  getMessage: { input: { path: { key: string } }; answer: Message };
  /** Read the whole list */
  listSuppressions: { input: Record<string, never>; answer: Suppression };
  /** Put addresses on the list */
  addSuppressions: {
    input: {
      body: {
        entries: {
          address: string;
          /** A campaign, or * for any. */
          campaign?: string | undefined;
          /** The recipient can take back `unsubscribe` by the link in a mail, and nothing else. */
          reason?: 'unsubscribe' | 'import' | 'ses' | 'manual' | 'bounce' | 'complaint' | undefined;
        }[];
      };
    };
    answer: {
      added: number;
      known: number;
      strengthened: number;
    };
  };
  /** Look an address up */
  getSuppression: { input: { path: { address: string } }; answer: AddressSuppressions };
  /** Put an address on the list */
  putSuppression: {
    input: {
      path: { address: string };
      body?: {
        /** A campaign, or * for any. */
        campaign?: string | undefined;
        /** The recipient can take back `unsubscribe` by the link in a mail, and nothing else. */
        reason?: 'unsubscribe' | 'import' | 'ses' | 'manual' | 'bounce' | 'complaint' | undefined;
      };
    };
    answer: AddressSuppressions;
  };
  /** Take an address off the list */
  deleteSuppression: {
    input: {
      path: { address: string };
      query?: {
        /** A campaign, or * for any. */
        campaign?: string | undefined;
      };
    };
    answer: undefined;
  };
}

/** Method and path of each. */
export const ROUTES = {
  listCampaigns: 'GET /campaigns',
  startRun: 'POST /campaigns/{campaign}/runs',
  listRuns: 'GET /runs',
  getRun: 'GET /runs/{run}',
  getRunReport: 'GET /runs/{run}/report',
  pauseRun: 'POST /runs/{run}/pause',
  resumeRun: 'POST /runs/{run}/resume',
  cancelRun: 'POST /runs/{run}/cancel',
  sendMessage: 'POST /messages',
  getMessage: 'GET /messages/{key}',
  listSuppressions: 'GET /suppressions',
  addSuppressions: 'POST /suppressions',
  getSuppression: 'GET /suppressions/{address}',
  putSuppression: 'PUT /suppressions/{address}',
  deleteSuppression: 'DELETE /suppressions/{address}',
} as const satisfies Record<keyof Operations, string>;
