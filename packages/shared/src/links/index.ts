/** Links that are counted: rewriting them in mails, the page that sends visitors on, and the clicks. */
export { type Click, type ClickCounts, type ClickRow, Clicks, clicksBy, type RunClicks } from './clicks.js';
export { type FollowedLink, followLink } from './followLink.js';
export { type LinkPage, LinkPages, linkPageOf } from './linkPages.js';
export { DIRECT_MARK, LinkRewriter } from './linkRewriter.js';
export { readLinkSecrets } from './linkSecret.js';
export { linksPage, readCleanUrlScript } from './linksPage.js';
export { type LinkOrigin, LinkTokens } from './linkToken.js';
export { answerProbe, isGenuineProbe, PROBE_PATH, type ProbeAnswer } from './publicProbe.js';
