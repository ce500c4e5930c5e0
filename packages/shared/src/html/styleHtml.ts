/**
 * A template's HTML as mail programs need it: MJML becomes HTML, and what stands in `<style>` goes into the `style` of the
 * elements, since many programs drop the former. Both happen once, when a campaign is loaded, on the template itself; a
 * recipient's mail costs no more than before.
 *
 * The libraries for it take some 0.2 and 0.3 s, and 20 to 50 MB, to load: only a process that meets such a campaign does.
 */
import type { HtmlProblem } from './htmlProblem.js';
import type { LiquidGuard, LostTag } from './liquidGuard.js';

export type HtmlKind = 'html' | 'mjml';

export type Styled = { html: string } | { problems: HtmlProblem[] };

/** @returns guarded HTML, as it was guarded on the way in. */
export async function styleHtml(guard: LiquidGuard, kind: HtmlKind): Promise<Styled> {
  return kind === 'mjml' ? compileMjml(guard) : inlineStyles(guard);
}

async function inlineStyles(guard: LiquidGuard): Promise<Styled> {
  // Without styles there is nothing to do, and every character stays.
  if (!/<style\b/i.test(guard.guarded)) return { html: guard.guarded };
  const unfit = guard.betweenAttributes;
  if (unfit) return lost(unfit, 'between attributes it gets lost when styles are inlined', IN_VALUE);
  const { default: juice } = await import('juice');
  const html = juice(guard.guarded);
  const gone = guard.findLost(html);
  return gone ? lost(gone, 'it can’t stand here: inlining the styles loses it', NOT_IN_STYLE) : { html };
}

const IN_VALUE = 'it in a value, as class="{% if … %}…{% endif %}"';
const NOT_IN_STYLE = 'it outside of <style>, or <style data-embed>, which stays as it is';
const IN_RAW = '<mj-raw> around it';

async function compileMjml(guard: LiquidGuard): Promise<Styled> {
  const unfit = guard.betweenAttributes;
  if (unfit) return lost(unfit, 'MJML takes nothing between attributes', IN_VALUE);
  // A mail's template reads no other files; mjml-browser has no file system, and would leave it out without a word.
  const include = guard.guarded.split('\n').findIndex((line) => /<mj-include\b/i.test(line));
  if (include >= 0) {
    const message = '<mj-include>: a template reads no other files';
    return { problems: [{ line: guard.lineOf(include + 1), message, expected: 'its content here' }] };
  }
  const { default: mjml2html } = await import('mjml-browser');
  try {
    // No fonts from elsewhere unless the author asks for them by <mj-font>.
    const { html, errors } = await mjml2html(guard.guarded, { validationLevel: 'soft', fonts: {} });
    const problems = errors.map(({ line, message, tagName }) => ({
      line: guard.lineOf(line),
      message: guard.restore(`<${tagName}>: ${message}`),
    }));
    if (problems.length > 0) return { problems };
    const gone = guard.findLost(html);
    return gone ? lost(gone, 'it can’t stand here: MJML loses it', IN_RAW) : { html };
  } catch (error) {
    const [line] = guard.restore((error as Error).message).split('\n');
    return { problems: [{ line: 1, message: `this is no MJML: ${line}`, expected: '<mjml><mj-body>…' }] };
  }
}

function lost({ tag, line }: LostTag, message: string, expected: string): Styled {
  return { problems: [{ line, message: `${tag}: ${message}`, expected }] };
}
