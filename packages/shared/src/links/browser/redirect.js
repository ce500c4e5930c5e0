// Runs in the visitor's browser, in a page that linksPage.ts makes: `page` and `followLink` stand before it.
const followed = followLink(location.search, location.origin, page.prefix, page.utm);
if (followed) {
  const report = () => navigator.sendBeacon(page.beacon, location.search);
  // A page that is loaded in advance has not been visited yet.
  if (page.beacon && document.prerendering) document.addEventListener('prerenderingchange', report);
  else if (page.beacon) report();
  // In the place of this page: going back leads to where the visitor came from.
  location.replace(followed.href + location.hash);
} else {
  document.title = 'This link leads nowhere';
  document.getElementById('nowhere').hidden = false;
}
