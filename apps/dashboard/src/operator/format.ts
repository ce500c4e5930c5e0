/** How numbers, shares and times are written on the pages. Times come in a zone that makes sense to the server; the page's script adds the viewer's. */
import { type Html, html } from './html.js';

export function count(value: number): string {
  return value.toLocaleString('en');
}

export function percent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)}%`;
}

/** @param zone of the campaign. */
export function time(at: Date | undefined, zone = 'UTC'): Html | string {
  if (!at) return '–';
  const text = at.toLocaleString('en-GB', { timeZone: zone, dateStyle: 'medium', timeStyle: 'short' });
  return html`<time datetime="${at.toISOString()}" data-zone="${zone}">${text} ${zone}</time>`;
}

/** "in 2 h 10 min", "5 s ago". */
export function relative(at: Date, now: number): Html {
  const seconds = Math.round((at.getTime() - now) / 1_000);
  const text = duration(Math.abs(seconds));
  return html`<time datetime="${at.toISOString()}" data-relative>${seconds >= 0 ? `in ${text}` : `${text} ago`}</time>`;
}

/** The two largest units that say something. Also the page's script's, so it uses nothing from outside of itself. */
export function duration(seconds: number): string {
  const units: [string, number][] = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
    ['s', 1],
  ];
  const first = units.findIndex(([, length]) => seconds >= length);
  if (first < 0) return '0 s';
  let left = Math.round(seconds);
  return units
    .slice(first, first + 2)
    .map(([unit, length]) => {
      const whole = Math.floor(left / length);
      left -= whole * length;
      return whole > 0 ? `${whole} ${unit}` : '';
    })
    .filter(Boolean)
    .join(' ');
}
