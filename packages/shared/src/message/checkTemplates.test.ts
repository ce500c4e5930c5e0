import { describe, expect, test } from 'vitest';
import { checkTemplates, TemplateError, usedFields } from './index.js';

function setup({ subject = 'Hi', text = 'Hi', html, address_field = 'email' }: Record<string, string> = {}) {
  return {
    definition: { subject, audience: { csv: 'r.csv', address_field } },
    body: { text, ...(html !== undefined && { html }) },
  };
}

test('every use of a merge field is found, with its place; what a template makes itself is none', () => {
  const text =
    'a {{ b }}\n{% assign x = c %}{{ x }}{{ b | default: d }}{% for e in f %}{{ e.g }}{% endfor %}';
  const content = setup({ subject: '{{ a }}', text, html: '{{ campaign.id }}{{ h[i] }}' });
  expect(usedFields(content)).toEqual([
    { name: 'a', part: 'subject', line: 1, column: 4 },
    { name: 'b', part: 'text', line: 1, column: 6 },
    { name: 'c', part: 'text', line: 2, column: 15 },
    { name: 'b', part: 'text', line: 2, column: 29 },
    { name: 'd', part: 'text', line: 2, column: 42 },
    { name: 'f', part: 'text', line: 2, column: 58 },
    { name: 'h', part: 'html', line: 1, column: 21 },
    { name: 'i', part: 'html', line: 1, column: 23 },
  ]);
});

test('a syntax error keeps fields from being found', () => {
  expect(() => usedFields(setup({ text: '{% if %' }))).toThrow(TemplateError);
});

describe('templates are checked', () => {
  const fields = ['email', 'first_name'];

  test('a field that the audience lacks, with what there is', () => {
    const problems = checkTemplates(
      setup({ text: 'Hi\n{{ frist_name }}\n{{ First_Name }}\n{{ zip }}' }),
      fields,
    );
    const expected = 'one of email, first_name';
    expect(problems).toEqual([
      {
        part: 'text',
        line: 2,
        column: 4,
        message: '{{ frist_name }}: the audience has no such field, did you mean "first_name"?',
        expected,
      },
      {
        part: 'text',
        line: 3,
        column: 4,
        message: '{{ First_Name }}: the audience has no such field, did you mean "first_name"?',
        expected,
      },
      { part: 'text', line: 4, column: 4, message: '{{ zip }}: the audience has no such field', expected },
    ]);
  });

  test('all syntax errors of all parts, without their echoes', () => {
    const problems = checkTemplates(
      setup({
        subject: '{{ email | upcaes }}',
        text: '{% for a of b %}\n{% endfor %}\n{% nope %}\n{{ x | nope }}',
        html: '{{',
      }),
      fields,
    );
    expect(problems.map(({ part, line, message }) => `${part}:${line} ${message}`)).toEqual([
      'subject:1 undefined filter: upcaes',
      'text:1 illegal tag: {% for a of b %}',
      'text:3 tag "nope" not found',
      'text:4 undefined filter: nope',
      'html:1 output "{{" not closed',
    ]);
  });

  test('fields are let be when they are not known', () => {
    expect(checkTemplates(setup({ text: '{{ x }}' }), undefined)).toEqual([]);
  });

  test('a misspelt built-in value, and one that stands alone', () => {
    const problems = checkTemplates(setup({ text: '{{ campaign.nme }} {{ run }}' }), fields);
    expect(problems.map(({ message }) => message)).toEqual([
      '{{ campaign.nme }}: there is no such value, did you mean "name"?',
      '{{ run }}: there is no such value',
    ]);
  });

  test('a built-in value that hides a column is refused where it is used, unless it is the address itself', () => {
    const content = setup({ text: '{{ address }}' });
    expect(checkTemplates(content, ['email', 'address'])).toHaveLength(1);
    expect(checkTemplates(setup(), ['email', 'address'])).toEqual([]);
    expect(checkTemplates(setup({ text: '{{ address }}', address_field: 'Address' }), ['address'])).toEqual(
      [],
    );
  });
});
