import fc from 'fast-check';
import { Liquid } from 'liquidjs';
import { describe, expect, test } from 'vitest';
import type { CampaignSnapshot } from '../campaign/index.js';
import { compileMessage, TemplateError } from './index.js';

interface Templates {
  subject?: string;
  text?: string;
  html?: string;
  definition?: Partial<CampaignSnapshot['definition']>;
}

const SCHEDULED_AT = new Date('2026-11-24T09:00:00Z');

function setup({ subject = 'Hello', text = 'Hello', html, definition }: Templates) {
  const snapshot: CampaignSnapshot = {
    id: 'daily',
    baseDir: '/campaigns/daily',
    hash: '0123456789abcdef',
    definition: {
      subject,
      from: 'a@example.com',
      audience: { csv: 'r.csv', address_field: 'email' },
      in_doubt: 'hold',
      catch_up: 'latest',
      max_invalid: 0.2,
      weight: 1,
      unsubscribe: true,
      list_id: '<daily.example.com>',
      ...definition,
    },
    body: { text, ...(html !== undefined && { html }) },
  };
  const template = compileMessage(snapshot, { scheduledAt: SCHEDULED_AT });
  return (fields: Record<string, unknown> = {}, address = 'jane@example.com') =>
    template.render({ address, fields });
}

function errorOf(run: () => unknown): TemplateError {
  try {
    run();
  } catch (error) {
    if (error instanceof TemplateError) return error;
    throw error;
  }
  throw new Error('Expected a TemplateError.');
}

describe('a message', () => {
  test('has subject, text and HTML, each from its template', () => {
    const render = setup({
      subject: '{{ package }} {{ version }}',
      text: 'Hi {{ first_name | default: "there" }}\n',
      html: '<p>{{ first_name }}</p>',
    });
    expect(render({ package: 'haml', version: '3.1.2', first_name: '' })).toEqual({
      subject: 'haml 3.1.2',
      text: 'Hi there\r\n',
      html: '<p></p>',
    });
  });

  test('knows its campaign, run and address, which win over fields of the same name', () => {
    const text = '{{ campaign.id }} {{ campaign.name }} {{ run.scheduled_at }} {{ address }}';
    const fields = { campaign: 'x', run: 'y', address: 'z' };
    expect(setup({ text })(fields).text).toBe('daily daily 2026-11-24T09:00:00.000Z jane@example.com');
    expect(setup({ text, definition: { name: 'Daily news' } })(fields).text).toContain('daily Daily news');
  });

  test("shows dates in the schedule's time zone, and in UTC without one", () => {
    const text = '{{ run.scheduled_at | date: "%e %B %Y, %H:%M" }}';
    const schedule = { cron: '0 10 * * *', timezone: 'Europe/Berlin' };
    expect(setup({ text, definition: { schedule } })().text).toBe('24 November 2026, 10:00');
    expect(setup({ text })().text).toBe('24 November 2026, 09:00');
  });

  test('escapes values in HTML and only there', () => {
    const text = '{{ name }} {{ name | upcase }} {{ name | raw }}';
    const render = setup({ subject: '{{ name }}', text, html: text });
    expect(render({ name: '<b>&"' })).toEqual({
      subject: '<b>&"',
      text: '<b>&" <B>&" <b>&"',
      html: '&lt;b&gt;&amp;&#34; &lt;B&gt;&amp;&#34; <b>&"',
    });
  });

  test('has a subject of one line, whatever a field holds', () => {
    const render = setup({ subject: ' News for {{ name }} ' });
    expect(render({ name: 'Jane\r\nBcc: joe@example.com\u0000' }).subject).toBe(
      'News for Jane Bcc: joe@example.com',
    );
  });

  test('is what liquidjs makes of it, past which plain fields go', () => {
    const reference = new Liquid({ strictVariables: true, outputEscape: 'escape' });
    const node = fc.constantFrom(
      '{{ a }}',
      '{{- a -}}',
      '{{ b | upcase }}',
      '{{ nil }}',
      '{{ c }}',
      ' text\n',
      '  ',
      '{{ "x" }}',
      '{% if a %}1{% else %}2{% endif %}',
      '{% assign a = "new" %}',
      '{% comment %}x{% endcomment %}',
      '{% raw %}{{ a }}{% endraw %}',
    );
    const value = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.constantFrom('<&>', "'"),
      fc.array(fc.string()),
    );
    fc.assert(
      fc.property(fc.array(node), value, value, value, (nodes, a, b, c) => {
        const html = nodes.join('');
        expect(setup({ html })({ a, b, c }).html).toBe(reference.parseAndRenderSync(html, { a, b, c }));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a template that does not fit', () => {
  test('a missing field is an error with file, place and field, never a gap', () => {
    const error = errorOf(() => setup({ text: 'Hi\n  {{ nick }}' })({ name: 'Jane' }));
    expect(error).toMatchObject({ part: 'text', place: { line: 2, column: 6 }, field: 'nick' });
    expect(error.message).toBe('body.txt:2:6: the recipient has no field "nick"');
  });

  test.each([
    '{{ nick | upcase }}',
    '{% if nick %}x{% endif %}',
    '{{ user.nick }}',
    '{{ toString }}',
    '{{ constructor }}',
  ])('%s is one, too', (text) => {
    expect(errorOf(() => setup({ text })({ user: {} })).field).toBeDefined();
  });

  test('an empty value and null are values', () => {
    expect(setup({ text: '[{{ a }}{{ b }}]' })({ a: '', b: null }).text).toBe('[]');
  });

  test.each([
    '{% if x %}',
    '{{ x | unknown_filter }}',
    '{% include "other" %}',
    '{% render "other" %}',
    '{% layout "other" %}',
    '{{ x',
  ])('%s is an error before anything is rendered', (text) => {
    expect(errorOf(() => setup({ text })).part).toBe('text');
  });

  test('an endless loop ends', () => {
    const text = '{% for i in (1..100000) %}{% for j in (1..100000) %}x{% endfor %}{% endfor %}';
    expect(errorOf(() => setup({ text })()).message).toContain('limit exceeded');
  });

  test('an error never holds the address', () => {
    const text =
      '{% for i in (1..address) %}{% endfor %}{{ address | date: address }}{{ x | where: address }}{{ nick }}';
    const error = errorOf(() => setup({ text })({ x: 'jane@example.com' }));
    expect(error.message).not.toContain('jane@');
  });

  test('a word that no line can hold is an error', () => {
    const error = errorOf(() => setup({ text: '{{ url }}' })({ url: 'x'.repeat(999) }));
    expect(error.message).toContain('a word of 999 octets does not fit into a line');
  });
});
