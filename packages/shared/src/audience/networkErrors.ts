/** What Node says when a server can't be reached, or is gone in the middle; without its host, which the operator knows. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection is refused',
  ECONNRESET: 'the connection broke',
  ECONNABORTED: 'the connection broke',
  EPIPE: 'the connection broke',
  ETIMEDOUT: 'the connection timed out',
  EHOSTUNREACH: 'the host is unreachable',
  ENETUNREACH: 'the network is unreachable',
  EHOSTDOWN: 'the host is down',
  EAI_AGAIN: 'the name of the host can not be looked up now',
  ENOTFOUND: 'there is no such host',
};

/** Undefined: it is no trouble of the network. */
export function networkReason(error: unknown): string | undefined {
  // A host with several addresses fails with an error for each.
  const { code, errors } = error as { code?: unknown; errors?: unknown[] };
  if (Array.isArray(errors)) return networkReason(errors[0]);
  return typeof code === 'string' ? REASONS[code] : undefined;
}
