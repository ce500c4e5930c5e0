/** Lists of mailboxes in the form of RFC 5322, as ADMINS has it: `Name <a@example.com>, b@example.com`. */
import addressparser from 'nodemailer/lib/addressparser';

export interface Mailbox {
  name: string;
  address: string;
}

/** @throws {Error} with the entry that is none. */
export function parseMailboxes(text: string): Mailbox[] {
  const found = addressparser(text, { flatten: true });
  for (const { name, address } of found)
    if (!/^[^\s@]+@[^\s@]+$/.test(address ?? ''))
      throw new Error(`"${name || address}" is no mailbox: expected Name <user@example.com>, …`);
  if (found.length === 0) throw new Error('there is no mailbox in it: expected Name <user@example.com>, …');
  return found.map(({ name, address }) => ({ name, address }));
}
