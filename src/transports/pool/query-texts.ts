import { standsAlone } from "../../syntax/stands-alone.ts";

/** Texts that are remembered, and characters of the longest: texts built anew for every call must not fill the memory. */
const MOST_TEXTS = 1_000;
const LONGEST_TEXT = 8_192;

/** What is known of the texts of one pool. */
export class QueryTexts {
  /** By text that came without values, whether it may travel as one statement; undefined while it came once. */
  readonly #bare = new Map<string, boolean | undefined>();
  /** By the name that its callers gave it. */
  readonly #named = new Map<string, string>();

  /**
   * Whether a text without values means the same in the extended protocol, which can share a connection and be prepared: one statement that
   * leaves the connection as it was, and no parameter that has no value. Not before it comes again, for it has to be read.
   */
  isStatement(text: string): boolean {
    const known = this.#bare.get(text);
    if (known !== undefined) return known;
    if (text.length > LONGEST_TEXT) return false;
    if (this.#bare.has(text)) {
      const is = !/\$\d/.test(text) && standsAlone(text);
      this.#bare.set(text, is);
      return is;
    }
    if (this.#bare.size >= MOST_TEXTS) this.#bare.clear();
    this.#bare.set(text, undefined);
    return false;
  }

  /** Whether `name` stands for another text already. */
  isTaken(name: string, text: string): boolean {
    const known = this.#named.get(name);
    if (known !== undefined) return known !== text;
    if (this.#named.size >= MOST_TEXTS) this.#named.clear();
    this.#named.set(name, text);
    return false;
  }
}
