/** A campaign's HTML template, ready for Liquid: styles in their places, pictures by their content ids, a text beside it. */
import { hash } from 'node:crypto';
import type { HtmlProblem } from './htmlProblem.js';
import { imagesIn, type ResolveImage, withContentIds } from './inlineImages.js';
import { LiquidGuard } from './liquidGuard.js';
import { type HtmlKind, type Styled, styleHtml } from './styleHtml.js';
import { textOfHtml } from './textOfHtml.js';

export interface HtmlTemplate {
  kind: HtmlKind;
  /** Without syntax errors of Liquid. */
  source: string;
}

export interface HtmlOptions {
  resolveImage: ResolveImage;
  /** There is a text already. */
  hasText: boolean;
}

export interface CompiledHtml {
  html: string;
  /** When there was none. */
  text?: string;
}

/** Dashboards load their campaigns again and again. */
const REMEMBERED = 32;
const remembered = new Map<string, Promise<Styled>>();

export async function compileHtml(
  { kind, source }: HtmlTemplate,
  { hasText, resolveImage }: HtmlOptions,
): Promise<CompiledHtml | { problems: HtmlProblem[] }> {
  const guard = new LiquidGuard(source);
  const styled = await styledOnce(guard, kind);
  if ('problems' in styled) return styled;
  const { ids, problems } = await imagesIn(styled.html, guard, source, resolveImage);
  if (problems.length > 0) return { problems };
  const html = guard.restore(withContentIds(styled.html, ids));
  if (hasText) return { html };
  return { html, text: guard.restore(await textOfHtml(guard, styled.html)) };
}

function styledOnce(guard: LiquidGuard, kind: HtmlKind): Promise<Styled> {
  const key = `${kind} ${hash('sha256', guard.source, 'hex')}`;
  const known = remembered.get(key);
  if (known) return known;
  const styled = styleHtml(guard, kind);
  remembered.set(key, styled);
  styled.catch(() => remembered.delete(key));
  const [oldest] = remembered.keys();
  if (remembered.size > REMEMBERED && oldest !== undefined) remembered.delete(oldest);
  return styled;
}
