import { loadCampaigns } from '@sendonce/shared/campaign';
import { SesClient } from '@sendonce/shared/ses';
import { type Check, notAllowed, type Observation } from './finding.js';

export const checkIdentities: Check = {
  subject: 'Senders',
  why: 'SES refuses mails of a sender that is not verified; without DKIM they end up as spam.',
  look: async ({ settings }) => {
    const { campaigns } = await loadCampaigns(settings.campaignsDir);
    const domains = new Set(
      campaigns.map(({ definition: { from } }) => /@([^@>\s]+)>?\s*$/.exec(from)?.[1] ?? from),
    );
    const ses = new SesClient(settings.ses);
    try {
      return await Promise.all([...domains].map((domain) => lookAt(ses, domain)));
    } finally {
      ses.close();
    }
  },
};

async function lookAt(ses: SesClient, domain: string): Promise<Observation> {
  const check = `Sender ${domain}`;
  try {
    const { isVerified, dkim } = await ses.identity(domain);
    const isSigned = dkim === 'SUCCESS';
    return {
      check,
      verdict: !isVerified ? 'error' : isSigned ? 'ok' : 'warning',
      detail: `${isVerified ? 'verified' : 'not verified, SES refuses its mails'}; DKIM ${dkim.toLowerCase()}`,
      mend: 'Enter the DKIM records (CNAME) of the identity in the DNS of the domain: docs/aws.md, step 3.',
    };
  } catch (error) {
    return notAllowed(check, error, 'ses:GetEmailIdentity');
  }
}
