import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeSnapshot } from '../testing/index.js';
import { compileMessage, TemplateError, usedFields } from './index.js';
import { toPlainText } from './plainText.js';

const scheduledAt = new Date('2026-11-24T10:00:00Z');

async function render(body: string, fields: Record<string, unknown> = {}, html?: string) {
  const snapshot = await makeSnapshot(1);
  const content = { ...snapshot, body: { text: body, ...(html !== undefined && { html }) } };
  const defaults = { email: 'jane@example.com', first_name: 'Jane' };
  return compileMessage(content, { scheduledAt }).render({
    address: 'jane@example.com',
    fields: { ...defaults, ...fields },
  });
}

describe('a message', () => {
  it('has its fields filled in, and what a template knows beside them', async () => {
    const message = await render(
      '{{ first_name }} {{ address }} {{ campaign.id }} {{ run.scheduled_at | date: "%Y-%m-%d", "UTC" }}',
    );
    expect(message).toEqual({ subject: 'News for Jane', text: 'Jane jane@example.com news 2026-11-24' });
  });

  it('shows a day as the same day in every zone', async () => {
    const settings = 'schedule: { cron: "0 10 * * *", timezone: America/New_York }\n';
    const snapshot = await makeSnapshot(1, {
      settings,
      body: '{{ first_name | date: "%d" }} {{ run.scheduled_at | date: "%H" }}',
    });
    const recipient = { address: 'a@example.com', fields: { first_name: '2026-11-24' } };
    expect(compileMessage(snapshot, { scheduledAt }).render(recipient).text).toBe('24 05');
  });

  it('is refused when a field is missing; an empty one is a value', async () => {
    await expect(render('{{ nickname }}')).rejects.toThrow(TemplateError);
    await expect(render('one\n{{ nickname }}')).rejects.toThrow(
      'body.txt:2:4: the recipient has no field "nickname"',
    );
    expect((await render('{{ first_name | default: "there" }}', { first_name: '' })).text).toBe('there');
    expect((await render('{{ first_name | default: "there" }}', { first_name: null })).text).toBe('there');
  });

  it('has a subject of one line, whatever is in the fields', async () => {
    expect((await render('x', { first_name: 'Jane\r\nBcc: joe@example.com' })).subject).toBe(
      'News for Jane Bcc: joe@example.com',
    );
  });

  it('escapes fields in HTML and leaves them alone in text', async () => {
    const message = await render('{{ first_name }}', { first_name: '<b>&' }, '<p>{{ first_name }}</p>');
    expect(message.text).toBe('<b>&');
    expect(message.html).toBe('<p>&lt;b&gt;&amp;</p>');
  });

  it('does not reach files or prototypes', async () => {
    await expect(render('{{ first_name.constructor }}')).rejects.toThrow(TemplateError);
    await expect(render('{% include "/etc/passwd" %}')).rejects.toThrow();
  });

  it('stops a template that never ends', async () => {
    await expect(render('{% for a in (1..100000000) %}x{% endfor %}')).rejects.toThrow(TemplateError);
  });
});

describe('the fields that templates use', () => {
  it('are found with their lines, without what the template defines itself', async () => {
    const snapshot = await makeSnapshot(1);
    const text =
      'Hi {{ first_name }}\n{% assign x = plan %}{{ x }} {{ campaign.id }}\n{% for p in packages %}{{ p.name }}{% endfor %}';
    const used = usedFields({ ...snapshot, body: { text } });
    expect(used).toMatchObject([
      { name: 'first_name', part: 'subject', line: 1 },
      { name: 'first_name', part: 'text', line: 1 },
      { name: 'plan', part: 'text', line: 2 },
      { name: 'packages', part: 'text', line: 3 },
    ]);
  });
});

describe('plain text', () => {
  it('keeps lines as they are, with CRLF', () => {
    expect(toPlainText('a\nb\r\n\nc  \n')).toBe('a\r\nb\r\n\r\nc  \r\n');
  });

  it('folds a line that is too long at white space, and leaves a long link in one piece', () => {
    const link = `https://www.dif.io/${'x'.repeat(900)}`;
    const folded = toPlainText(`${'word '.repeat(150)}${link} ${'ä'.repeat(300)}`);
    expect(folded).toContain(link);
    for (const line of folded.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(998);
  });

  it('refuses a word that fits into no line', () => {
    expect(() => toPlainText('x'.repeat(999))).toThrow('RFC 5322');
  });

  it('loses no word', () => {
    const word = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 200 })
      .filter((text) => !/\s/.test(text));
    fc.assert(
      fc.property(fc.array(word, { maxLength: 60 }), (words) => {
        expect(toPlainText(words.join(' ')).split(/\s+/).filter(Boolean)).toEqual(words.filter(Boolean));
      }),
    );
  });
});
