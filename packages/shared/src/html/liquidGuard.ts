/**
 * Takes a template's Liquid tags past programs that read HTML and know nothing of them: each tag becomes a word that stands
 * in text, in a value and in a style alike, and is put back afterwards. Those programs drop what they have no place for, and
 * without a word; so it is counted what came through.
 */
import { Tokenizer as HtmlTokenizer } from 'htmlparser2';
import { Tokenizer, TokenKind } from 'liquidjs';

/** A tag of the template that would be lost, or be somewhere else. */
export interface LostTag {
  /** As it is written. */
  tag: string;
  /** From 1. */
  line: number;
}

type Context = 'text' | 'value' | 'style' | 'between attributes';

interface GuardedTag extends LostTag {
  /** `{% … %}`, which has its place among others; `{{ … }}` only has a value. */
  isBlock: boolean;
  context: Context;
}

/** Their text is styles, which are copied to wherever they hold. */
const STYLES = new Set(['style', 'mj-style']);
/** Their text is put into the mail more than once. */
const REPEATED = new Set(['mj-title']);

export class LiquidGuard {
  readonly source: string;
  /** The template with words in the places of its tags. */
  readonly guarded: string;
  readonly #tags: GuardedTag[] = [];
  readonly #word: RegExp;
  readonly #prefix: string;

  /** @param source without syntax errors. */
  constructor(source: string) {
    this.source = source;
    let prefix = 'lq0x';
    for (let n = 1; source.includes(prefix); n++) prefix = `lq${n}x`;
    this.#prefix = prefix;
    this.#word = new RegExp(`${prefix}(\\d+)z`, 'g');
    this.guarded = this.#guard(source);
    this.#findContexts();
  }

  #guard(source: string): string {
    let guarded = '';
    let line = 1;
    for (const token of new Tokenizer(source).readTopLevelTokens()) {
      const text = source.slice(token.begin, token.end);
      const isTag = token.kind === TokenKind.Tag || token.kind === TokenKind.Output;
      guarded += isTag ? `${this.#prefix}${this.#tags.length}z` : text;
      if (isTag) this.#tags.push({ tag: text, line, isBlock: token.kind === TokenKind.Tag, context: 'text' });
      line += text.split('\n').length - 1;
    }
    return guarded;
  }

  #findContexts(): void {
    let element = '';
    const note = (from: number, to: number, context: Context): void => {
      for (const index of this.#wordsIn(this.guarded.slice(from, to))) this.#tagAt(index).context = context;
    };
    const ignore = (): void => undefined;
    const textContext = (): Context =>
      STYLES.has(element) ? 'style' : REPEATED.has(element) ? 'value' : 'text';
    const tokenizer = new HtmlTokenizer(
      {},
      {
        onopentagname: (from, to) => {
          element = this.guarded.slice(from, to).toLowerCase();
        },
        onclosetag: () => {
          element = '';
        },
        onattribname: (from, to) => note(from, to, 'between attributes'),
        onattribdata: (from, to) => note(from, to, 'value'),
        oncomment: (from, to) => note(from, to, 'value'),
        ontext: (from, to) => note(from, to, textContext()),
        onattribend: ignore,
        onattribentity: ignore,
        oncdata: ignore,
        ondeclaration: ignore,
        onend: ignore,
        onopentagend: ignore,
        onprocessinginstruction: ignore,
        onselfclosingtag: ignore,
        ontextentity: ignore,
      },
    );
    tokenizer.write(this.guarded);
    tokenizer.end();
  }

  /** The first tag that stands where a name of an attribute could. */
  get betweenAttributes(): LostTag | undefined {
    return this.#tags.find(({ context }) => context === 'between attributes');
  }

  /**
   * What did not come through, the first of it: tags in the text have to be there once and in their order, those in values
   * at least once. The value of a style is where the style holds, and that may be nowhere.
   */
  findLost(processed: string): LostTag | undefined {
    const indexes = this.#wordsIn(processed);
    const present = new Set(indexes);
    const gone = this.#tags.find(
      ({ context, isBlock }, index) => !present.has(index) && (isBlock || context !== 'style'),
    );
    if (gone) return gone;
    const isText = (index: number) => this.#tagAt(index).context === 'text';
    const wanted = this.#tags.map((_, index) => index).filter(isText);
    const found = indexes.filter(isText);
    const moved = found.findIndex((index, place) => index !== wanted[place]);
    return moved < 0 ? undefined : this.#tagAt(found[moved] as number);
  }

  restore(processed: string): string {
    // An attribute that is nothing but a tag got a value on the way.
    const written = processed.replace(new RegExp(`(${this.#prefix}\\d+z)=""`, 'g'), '$1');
    return written.replace(this.#word, (_, index: string) => this.#tagAt(Number(index)).tag);
  }

  /** A line, or a paragraph, that is nothing but `{% … %}` is none of the text: a loop must not leave an empty one each time. */
  joinTagLines(text: string): string {
    const word = `[ \\t]*(${this.#prefix}(\\d+)z)[ \\t]*`;
    const join = (all: string, tag: string, index: string) =>
      this.#tagAt(Number(index)).isBlock ? tag : all;
    return text
      .replace(new RegExp(`(?<=^|\\n\\n)${word}\\n\\n`, 'g'), join)
      .replace(new RegExp(`^${word}\\n`, 'gm'), join);
  }

  /** Where a line of the guarded template is in the template: a tag may have several lines, a word has one. */
  lineOf(guardedLine: number): number {
    const before = this.guarded
      .split('\n')
      .slice(0, guardedLine - 1)
      .join('\n');
    const indexes = this.#wordsIn(before);
    return indexes.reduce((line, index) => line + this.#tagAt(index).tag.split('\n').length - 1, guardedLine);
  }

  #wordsIn(text: string): number[] {
    return [...text.matchAll(this.#word)].map(([, index]) => Number(index));
  }

  #tagAt(index: number): GuardedTag {
    return this.#tags[index] as GuardedTag;
  }
}
