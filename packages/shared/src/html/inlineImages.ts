/**
 * Pictures of an HTML body: `<img src="logo.png">` names a file of the campaign's folder, which goes along with the mail and
 * is shown from there (RFC 2392); `cid:…` names an attachment that says it is that one. What has a scheme is the reader's to
 * load.
 */
import { attributesOf } from '../links/htmlAttributes.js';
import type { HtmlProblem } from './htmlProblem.js';
import type { LiquidGuard } from './liquidGuard.js';

/**
 * @param src a path, or `cid:…`.
 * @returns the id of its content, or what is wrong with it.
 */
export type ResolveImage = (src: string) => Promise<{ contentId: string } | { problem: string }>;

const isImage = (element: string) => element === 'img';
const HAS_SCHEME = /^([a-z][a-z0-9+.-]*:|\/\/|#)/i;

/** Content ids by `src`, of all pictures that come along. */
export async function imagesIn(
  html: string,
  guard: LiquidGuard,
  source: string,
  resolve: ResolveImage,
): Promise<{ ids: Map<string, string>; problems: HtmlProblem[] }> {
  const ids = new Map<string, string>();
  const problems: HtmlProblem[] = [];
  for (const { value: src } of attributesOf(html, isImage, 'src')) {
    if (ids.has(src) || src === '') continue;
    const written = guard.restore(src);
    // A whole address, or the beginning of one, comes from the recipient's data.
    if (/^\{[{%]/.test(written)) continue;
    const isLocal = !HAS_SCHEME.test(src) || /^cid:/i.test(src);
    if (!isLocal) continue;
    const place = lineOf(source, written);
    const report = (message: string) =>
      problems.push({ ...place, message: `<img src="${written}">: ${message}` });
    if (written !== src) {
      report('a file that comes along is the same in every mail, so its name has no Liquid in it');
      continue;
    }
    const resolved = await resolve(src);
    if ('problem' in resolved) report(resolved.problem);
    else ids.set(src, resolved.contentId);
  }
  return { ids, problems };
}

export function withContentIds(html: string, ids: ReadonlyMap<string, string>): string {
  let result = '';
  let done = 0;
  for (const { value, start, end } of attributesOf(html, isImage, 'src')) {
    const id = ids.get(value);
    if (id === undefined) continue;
    result += `${html.slice(done, start)}cid:${id}`;
    done = end;
  }
  return result + html.slice(done);
}

/** Where the author wrote it; MJML moves things. */
function lineOf(source: string, written: string): { line?: number } {
  const at = source.indexOf(written);
  return at < 0 ? {} : { line: source.slice(0, at).split('\n').length };
}
