/**
 * What Docker's health check runs in the container: 0 when the process says that it is ready. Not curl, which would be one more
 * program to keep patched. The argument is another address to ask.
 */
const url = process.argv[2] ?? 'http://127.0.0.1:3002/readyz';
try {
  const response = await fetch(url, { signal: AbortSignal.timeout(4_000) });
  // Docker keeps the last answers for `docker inspect`: which check has failed stands there.
  if (!response.ok) process.stdout.write(`${response.status} ${(await response.text()).slice(0, 2_000)}\n`);
  process.exit(response.ok ? 0 : 1);
} catch (error) {
  process.stdout.write(`${url}: ${error.cause?.message ?? error.message}\n`);
  process.exit(1);
}
