import { BootstrapError } from './common.mjs';

/** As `engines` in package.json says, which npm does not enforce for the repo itself. */
const LEAST = [20, 19];

export function checkNode(version) {
  const [major, minor] = version.split('.').map(Number);
  if (major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])) return;
  throw new BootstrapError(
    `Sendonce needs Node ${LEAST.join('.')} or newer; this is ${version}. See https://nodejs.org/`,
    2,
  );
}
