/** What the types of our libraries lack. */

/** juice's types name it, for lists that we don't use. */
// biome-ignore lint/suspicious/noEmptyInterface: an interface, so that it is no second one where there are browsers' types.
interface HTMLElement {}

/** What we use of it; it has no types of its own. */
declare module 'mjml-browser' {
  interface MjmlError {
    line: number;
    message: string;
    tagName: string;
  }
  interface MjmlOptions {
    validationLevel: 'soft';
    /** Fonts that are loaded from elsewhere when a mail uses them. */
    fonts: Record<string, string>;
  }
  function mjml2html(source: string, options: MjmlOptions): Promise<{ html: string; errors: MjmlError[] }>;
  export default mjml2html;
}
