/** Addresses as SES takes them: ASCII, `a@b.example` or `Name <a@b.example>`. The refusals are in SES's words. */

/** RFC 5321, 4.5.3.1.1. */
const MAX_LOCAL_PART = 64;
/** RFC 1035, 2.3.4. */
const MAX_DOMAIN = 253;
const LOCAL_PART =
  /^(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*|"(?:[^"\\]|\\.)*")$/;
const LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;

/** Amazon's addresses for trying out what becomes of a mail; they may have labels (`bounce+label@…`).
 * https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html */
const SIMULATOR = /^(success|bounce|complaint|suppressionlist|ooto)(?:\+[^@]*)?@simulator\.amazonses\.com$/i;

export type SimulatorMailbox = 'success' | 'bounce' | 'complaint' | 'suppressionlist' | 'ooto';

/** The address without a name. */
export function bareAddress(address: string): string {
  const end = address.lastIndexOf('>');
  return end < 0 ? address.trim() : address.slice(address.lastIndexOf('<', end) + 1, end).trim();
}

/** What SES has against an address; undefined: nothing. */
export function addressProblem(address: string): string | undefined {
  // A name in other letters has to be an encoded word: SES takes 7-bit ASCII only.
  // https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html (FromEmailAddress)
  if (!/^[\x20-\x7e]*$/.test(address)) return 'Local address contains control or whitespace';
  const bare = bareAddress(address);
  const at = bare.lastIndexOf('@');
  if (at < 0) return "Missing final '@domain'";
  const local = bare.slice(0, at);
  const domain = bare.slice(at + 1);
  if (local === '') return 'User name is missing';
  if (local.length > MAX_LOCAL_PART) return 'Local address is too long';
  if (!LOCAL_PART.test(local))
    return /\s/.test(local) ? 'Local address contains control or whitespace' : 'Illegal address';
  if (domain.includes('..')) return 'Domain contains dot-dot';
  if (domain.startsWith('.')) return 'Domain starts with dot';
  if (domain.endsWith('.')) return 'Domain ends with dot';
  const labels = domain.split('.');
  if (domain.length > MAX_DOMAIN || labels.length < 2 || !labels.every((label) => LABEL.test(label)))
    return 'Domain contains illegal character';
  return undefined;
}

export function simulatorMailbox(address: string): SimulatorMailbox | undefined {
  // The cheap look first: every recipient of every mail comes through here.
  if (!address.endsWith('.com') && !/\.com$/i.test(address)) return undefined;
  return SIMULATOR.exec(address)?.[1]?.toLowerCase() as SimulatorMailbox | undefined;
}
