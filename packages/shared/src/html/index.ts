/** HTML bodies: MJML and styles, pictures that come along, the text beside them; all of it when a campaign is loaded. */
export { type CompiledHtml, compileHtml } from './compileHtml.js';
export type { HtmlProblem } from './htmlProblem.js';
export type { HtmlKind } from './styleHtml.js';
