/**
 * What a page does by itself: keeps its live parts up to date, shows times in the viewer's zone, draws charts. All of it can
 * be missing; then the page is read as it came. `duration` of format.ts stands before it.
 */
(() => {
  /** What was last shown in each live part, as it came from the server. */
  const shown = new Map();
  const connection = document.getElementById('connection');

  function showRelativeTimes(root) {
    for (const element of root.querySelectorAll('time[data-relative]')) {
      const seconds = Math.round((new Date(element.dateTime) - Date.now()) / 1_000);
      element.textContent = seconds >= 0 ? `in ${duration(seconds)}` : `${duration(-seconds)} ago`;
    }
  }

  /** The viewer's zone first, the campaign's beside it where it differs. */
  function showTimes(root) {
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const write = (at, timeZone, options) => at.toLocaleString('en-GB', { timeZone, ...options });
    const whole = { dateStyle: 'medium', timeStyle: 'short' };
    for (const element of root.querySelectorAll('time[data-zone]')) {
      const at = new Date(element.dateTime);
      const zone = element.dataset.zone;
      const [here, there] = [write(at, own, whole), write(at, zone, whole)];
      const isSameDay = write(at, own, { dateStyle: 'medium' }) === write(at, zone, { dateStyle: 'medium' });
      const beside = isSameDay ? write(at, zone, { timeStyle: 'short' }) : there;
      element.textContent = here === there ? here : `${here} (${beside} ${zone})`;
      element.title = at.toISOString();
    }
  }

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  /** `data-chart`: { x: [seconds], series: [{ label, color, values }], bars? } */
  function showCharts(root) {
    if (typeof uPlot === 'undefined') return;
    for (const element of root.querySelectorAll('[data-chart]')) {
      const { x, series, bars } = JSON.parse(element.dataset.chart);
      const place = element.querySelector('.plot');
      if (x.length === 0 || !place) continue;
      place.textContent = '';
      const axis = {
        stroke: resolve('soft'),
        grid: { stroke: resolve('line'), width: 1 },
        ticks: { stroke: resolve('line') },
      };
      const number = (_, values) => values.map((value) => value.toLocaleString('en'));
      new uPlot(
        {
          width: Math.max(place.clientWidth, 160),
          height: Number(element.dataset.height ?? 220),
          legend: { show: series.length > 1 },
          cursor: { drag: { x: false, y: false } },
          scales: { x: { time: true }, y: { range: (_, __, max) => [0, Math.max(max, 1)] } },
          axes: [axis, { ...axis, values: number, size: 64 }],
          series: [
            {},
            ...series.map(({ label, color: name }) => ({
              label,
              stroke: resolve(name),
              width: 2,
              fill: bars ? resolve(name) : undefined,
              points: { show: x.length < 3 },
              paths: bars ? uPlot.paths.bars({ size: [0.7, 40] }) : undefined,
            })),
          ],
        },
        [x, ...series.map(({ values }) => values)],
        place,
      );
    }
  }

  /** light-dark() is no colour for a canvas: let the browser decide which of the two it is. */
  function resolve(name) {
    const probe = document.createElement('span');
    probe.className = `c-${name}`;
    probe.hidden = true;
    document.body.append(probe);
    const value = getComputedStyle(probe).color;
    probe.remove();
    return value || color(name);
  }

  function enliven(root) {
    showTimes(root);
    showRelativeTimes(root);
    showCharts(root);
  }

  /** Nothing is taken away under somebody's hands: a part with the focus in a field waits. */
  function isInUse(part) {
    const active = document.activeElement;
    return part.contains(active) && active.matches('input, select, textarea');
  }

  function replaceParts(html) {
    const next = new DOMParser().parseFromString(html, 'text/html');
    document.title = next.title;
    for (const part of next.querySelectorAll('[data-live]')) {
      const old = document.getElementById(part.id);
      const text = part.outerHTML;
      if (!old || shown.get(part.id) === text || isInUse(old)) continue;
      shown.set(part.id, text);
      const open = new Set([...old.querySelectorAll('details[open][id]')].map(({ id }) => id));
      const focused = old.contains(document.activeElement) ? document.activeElement.id : '';
      const fresh = document.importNode(part, true);
      for (const details of fresh.querySelectorAll('details[id]')) details.open ||= open.has(details.id);
      old.replaceWith(fresh);
      enliven(fresh);
      if (focused) document.getElementById(focused)?.focus();
    }
  }

  function tell(text) {
    connection.textContent = text;
    connection.hidden = text === '';
  }

  function listen() {
    const source = new EventSource(location.href);
    source.addEventListener('page', (event) => {
      tell('');
      replaceParts(JSON.parse(event.data));
    });
    source.addEventListener('trouble', () =>
      tell('The server can’t reach Redis. The numbers are from a moment ago.'),
    );
    source.addEventListener('error', () => {
      tell('The connection is lost. Trying again …');
      // A browser gives up when the answer was no stream: logged out, or a proxy’s error page.
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(async () => {
        const answer = await fetch('/session', { headers: { accept: 'application/json' } }).catch(
          () => undefined,
        );
        if (answer?.status === 401) tell('You are logged out. Reload the page to log in.');
        else listen();
      }, 3_000);
    });
    window.addEventListener('pagehide', () => source.close());
  }

  for (const part of document.querySelectorAll('[data-live]')) shown.set(part.id, part.outerHTML);
  enliven(document);
  setInterval(() => showRelativeTimes(document), 1_000);
  let resizing;
  window.addEventListener('resize', () => {
    clearTimeout(resizing);
    resizing = setTimeout(() => showCharts(document), 200);
  });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => showCharts(document));
  if (document.body.dataset.livePage !== undefined) listen();
})();
