import { expect, test } from 'vitest';
import type { CampaignSnapshot } from '../campaign/index.js';
import { compileMessage } from '../message/index.js';
import { compileHtml, type HtmlKind } from './index.js';

const NO_IMAGES = async () => ({ problem: 'there is no such file' });

async function compile(source: string, kind: HtmlKind = 'html') {
  return compileHtml({ kind, source }, { hasText: false, resolveImage: NO_IMAGES });
}

/** What a recipient gets of it. */
async function mailOf(source: string, fields: Record<string, unknown>, kind: HtmlKind = 'html') {
  const compiled = await compile(source, kind);
  if ('problems' in compiled) throw new Error(JSON.stringify(compiled.problems));
  const { html, text = '' } = compiled;
  const definition = { subject: 'x', audience: { csv: 'x', address_field: 'email' } };
  const snapshot = { id: 'x', definition, body: { html, text } } as CampaignSnapshot;
  const template = compileMessage(snapshot, { scheduledAt: new Date(0) });
  const message = template.render({ address: 'jane@example.com', fields });
  return { html: message.html ?? '', text: message.text.replaceAll('\r\n', '\n') };
}

async function problemsOf(source: string, kind: HtmlKind = 'html') {
  const compiled = await compile(source, kind);
  return 'problems' in compiled ? compiled.problems : [];
}

const ITEMS = [
  { name: 'haml', url: 'https://dif.io/?a=1&b=2' },
  { name: 'a "b" & <c>', url: 'https://dif.io/c' },
];

test('HTML without styles stays as it is written, to the character', async () => {
  const source = '<P {% if a %}class=x{% endif %}>&nbsp;{{ a }}<br/>\n<table>{{ a }}<tr></table>';
  expect(await compile(source)).toMatchObject({ html: source });
});

test('styles go into the elements, past Liquid in text, values, styles, and between the rows of a table', async () => {
  const source = `<style>td { color: {{ color }}; padding: 4px }
    @media (max-width: 600px) { td { padding: 0 } }</style>
<p class="{% if vip %}vip{% else %}all{% endif %}" title='{{ name | default: "you" }}'>Hi {{ name }}&nbsp;{%- if vip -%}!{%- endif %}</p>
<table>{% for item in items %}<tr><td><a href="{{ item.url }}">{{ item.name }}</a></td></tr>{% endfor %}</table>
{% raw %}{{ not a field }}{% endraw %}{% comment %}{{ nothing }}{% endcomment %}`;
  const { html } = await mailOf(source, { color: 'red', vip: true, name: 'Jane', items: ITEMS });
  expect(html).toContain('<p class="vip" title="Jane">Hi Jane&nbsp;!</p>');
  expect(html).toContain(
    '<tr><td style="color: red; padding: 4px;"><a href="https://dif.io/?a=1&amp;b=2">haml</a></td></tr><tr><td style="color: red; padding: 4px;"><a href="https://dif.io/c">a &#34;b&#34; &amp; &lt;c&gt;</a></td></tr></table>',
  );
  expect(html).toContain('@media (max-width: 600px)');
  expect(html).toContain('{{ not a field }}');
  expect(html).not.toContain('nothing');
});

const MJML = `<mjml>
<mj-head><mj-title>News for {{ name }}</mj-title><mj-style inline="inline">.red { color: red }</mj-style></mj-head>
<mj-body><mj-section><mj-column>
<mj-text css-class="red">Hi {{ name }},
{% if vip
%}<b>dear customer</b>{% endif %}</mj-text>
<mj-table>{% for item in items %}<tr><td>{{ item.name }}</td></tr>{% endfor %}</mj-table>
<mj-raw>{% for item in items %}</mj-raw><mj-button href="{{ item.url }}">{{ item.name }}</mj-button><mj-raw>{% endfor %}</mj-raw>
</mj-column></mj-section></mj-body>
</mjml>`;

test('MJML becomes HTML, with its Liquid in text, values, tables and around elements', async () => {
  const { html, text } = await mailOf(MJML, { name: 'Jane', vip: true, items: ITEMS }, 'mjml');
  expect(html).toMatch(/^<!doctype html>/i);
  expect(html).not.toMatch(/<mj-|lq\d+x/);
  expect(html).toContain('<b>dear customer</b>');
  expect(html).toContain('<tr><td>haml</td></tr><tr><td>a &#34;b&#34;');
  expect(html.match(/href="https:\/\/dif\.io\/[^"]*"/g)).toEqual([
    'href="https://dif.io/?a=1&amp;b=2"',
    'href="https://dif.io/c"',
  ]);
  expect(html, 'nothing that a reader’s program would load').not.toMatch(/(src|link|@import)[^>]*https?:/);
  expect(text).toBe(
    'Hi Jane, dear customer\nhaml\na "b" & <c>\nhaml (https://dif.io/?a=1&b=2)\na "b" & <c> (https://dif.io/c)\n',
  );
});

test('a text is made of the HTML: conditions and loops in their places, links readable, hidden text left out', async () => {
  const source = `<html><head><title>Not this</title></head><body><div style="display:none">Nor this</div>
<h1>Hello {{ name }}</h1>
{% if vip %}<p>Dear&nbsp;customer</p>{% else %}<p>Dear reader</p>{% endif %}
<ul>{% for item in items %}<li>{{ item.name }}: <a href="{{ item.url }}">see</a></li>{% endfor %}</ul>
<img src="https://dif.io/x.png" alt="A picture"> <a href="https://dif.io/">https://dif.io/</a></body></html>`;
  const { text } = await mailOf(source, { name: 'Jane', vip: false, items: ITEMS });
  expect(text).toBe(`Hello Jane

Dear reader

 * haml: see (https://dif.io/?a=1&b=2)
 * a "b" & <c>: see (https://dif.io/c)

A picture https://dif.io/
`);
  expect((await mailOf(source, { name: 'Jane', vip: true, items: [] })).text).toContain('Dear\u00a0customer');
});

test.each<[string, HtmlKind, string, { line?: number; message: string; expected?: string }]>([
  [
    'a tag between attributes',
    'html',
    '<style>p{color:red}</style>\n<p {% if a %}class="x"{% endif %}>',
    {
      line: 2,
      message: '{% if a %}: between attributes it gets lost when styles are inlined',
      expected: 'it in a value, as class="{% if … %}…{% endif %}"',
    },
  ],
  [
    'a condition among styles',
    'html',
    '<p>x</p>\n<style>\n{% if a %}p{color:red}{% endif %}</style>',
    {
      line: 3,
      message: '{% if a %}: it can’t stand here: inlining the styles loses it',
      expected: 'it outside of <style>, or <style data-embed>, which stays as it is',
    },
  ],
  [
    'text where MJML takes none',
    'mjml',
    '<mjml><mj-body>\n{% if a %}\n<mj-section></mj-section>{% endif %}</mj-body></mjml>',
    { line: 2, message: '{% if a %}: it can’t stand here: MJML loses it', expected: '<mj-raw> around it' },
  ],
  [
    'an element that MJML does not know, after a tag of several lines',
    'mjml',
    '<mjml><mj-body><mj-section><mj-column><mj-text>{% if\na\n%}x{% endif %}</mj-text>\n<mj-txt /></mj-column></mj-section></mj-body></mjml>',
    { line: 4, message: "<mj-txt>: Element mj-txt doesn't exist or is not registered" },
  ],
  [
    'a file that MJML would read',
    'mjml',
    '<mjml><mj-body>\n<mj-include path="/etc/passwd" type="html" />\n</mj-body></mjml>',
    { line: 2, message: '<mj-include>: a template reads no other files', expected: 'its content here' },
  ],
  [
    'something else',
    'mjml',
    'Hello',
    { line: 1, message: 'this is no MJML: Parsing failed. Check your mjml.', expected: '<mjml><mj-body>…' },
  ],
  [
    'a picture that is not there',
    'html',
    '<p>x</p>\n<img src="logo.png">',
    { line: 2, message: '<img src="logo.png">: there is no such file' },
  ],
  [
    'a picture whose file is another one for each recipient',
    'html',
    '<img src="img/{{ id }}.png">',
    {
      line: 1,
      message:
        '<img src="img/{{ id }}.png">: a file that comes along is the same in every mail, so its name has no Liquid in it',
    },
  ],
])('%s is an error with its line', async (_, kind, source, problem) => {
  expect(await problemsOf(source, kind)).toEqual([problem]);
});

test('pictures that readers load stay what they are', async () => {
  for (const src of ['https://dif.io/a.png', '//dif.io/a.png', 'data:image/png;base64,AA', '{{ picture }}'])
    expect(await compile(`<img src="${src}">x`)).toMatchObject({ html: `<img src="${src}">x` });
});

test('words of its own in a template are not taken for tags', async () => {
  const { html } = await mailOf('<style>p{color:red}</style><p>lq0x0z {{ a }} lq1x0z</p>', { a: 'A' });
  expect(html).toContain('lq0x0z A lq1x0z');
});
