/** A template tag that escapes whatever is put into it. */

/** HTML that is safe as it is; anything else is escaped. */
export class Html {
  constructor(readonly text: string) {}
}

export type Value = Html | string | number | false | undefined | readonly Value[];

export function html(strings: TemplateStringsArray, ...values: Value[]): Html {
  return new Html(
    strings.map((text, index) => text + (index < values.length ? toHtml(values[index]) : '')).join(''),
  );
}

export function toHtml(value: Value): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(toHtml).join('');
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
