/** One attribute of some elements of a page: decoded, and where its spelling begins and ends, so that it can be put anew. */
import { QuoteType, Tokenizer } from 'htmlparser2';

export interface AttributeValue {
  /** Without white space around it. */
  value: string;
  start: number;
  end: number;
}

/** What HTML takes off an address; not every space that Unicode knows. */
const OUTER_SPACE = /^[\t\n\f\r ]+|[\t\n\f\r ]+$/g;

/**
 * @param isMeant by the element's name, in lower case.
 * @param name of the attribute, in lower case.
 */
export function attributesOf(
  html: string,
  isMeant: (element: string) => boolean,
  name: string,
): AttributeValue[] {
  const found: AttributeValue[] = [];
  let isElement = false;
  let isAttribute = false;
  let value = '';
  let start = -1;
  const ignore = (): void => undefined;
  const tokenizer = new Tokenizer(
    {},
    {
      onopentagname: (from, to) => {
        isElement = isMeant(html.slice(from, to).toLowerCase());
      },
      onattribname: (from, to) => {
        isAttribute = isElement && html.slice(from, to).toLowerCase() === name;
        value = '';
        start = -1;
      },
      onattribdata: (from, to) => {
        if (start < 0) start = from;
        value += html.slice(from, to);
      },
      onattribentity: (codepoint) => {
        value += String.fromCodePoint(codepoint);
      },
      onattribend: (quote, end) => {
        const isQuoted = quote === QuoteType.Single || quote === QuoteType.Double;
        if (isAttribute && start >= 0)
          found.push({ value: value.replace(OUTER_SPACE, ''), start, end: isQuoted ? end - 1 : end });
      },
      oncdata: ignore,
      onclosetag: ignore,
      oncomment: ignore,
      ondeclaration: ignore,
      onend: ignore,
      onopentagend: ignore,
      onprocessinginstruction: ignore,
      onselfclosingtag: ignore,
      ontext: ignore,
      ontextentity: ignore,
    },
  );
  tokenizer.write(html);
  tokenizer.end();
  return found;
}
