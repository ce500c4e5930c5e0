/**
 * Takes the utm_ parameters out of the address bar, after analytics has read them. For the pages that mails link to:
 *
 *   <script src="/daily/clean-url.js" defer></script>
 *
 * Analytics has read them when one of its requests is on its way (Google Analytics, Plausible, Matomo), when the page says so
 * by `document.dispatchEvent(new Event('analytics:read'))`, or when nothing was seen for `data-timeout` ms (3,000). Another
 * analytics is known by a part of its address: `data-analytics="/collect"`. Everything else in the address stays as it is.
 */
(() => {
  const { analytics = '', timeout = '3000' } = document.currentScript?.dataset ?? {};
  const hits = [
    '/g/collect',
    '/api/event',
    'matomo.php',
    'piwik.php',
    ...analytics.split(/\s+/).filter(Boolean),
  ];
  const isUtm = (pair) => /^utm_[^=]*(=|$)/i.test(pair);
  const clean = () => {
    observer?.disconnect();
    clearTimeout(timer);
    document.removeEventListener('analytics:read', clean);
    const pairs = location.search.slice(1).split('&');
    if (!pairs.some(isUtm)) return;
    const kept = pairs.filter((pair) => !isUtm(pair)).join('&');
    const search = kept && `?${kept}`;
    // The entry's state belongs to the page's own script.
    history.replaceState(history.state, '', location.pathname + search + location.hash);
  };
  if (!location.search.slice(1).split('&').some(isUtm)) return;
  document.addEventListener('analytics:read', clean);
  const timer = setTimeout(clean, Number(timeout));
  const observer =
    typeof PerformanceObserver === 'function' &&
    new PerformanceObserver((list) => {
      if (list.getEntries().some(({ name }) => hits.some((hit) => name.includes(hit)))) clean();
    });
  // Those that were before us, too.
  if (observer) observer.observe({ type: 'resource', buffered: true });
})();
