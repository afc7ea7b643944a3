/** The warnings of one answer: each is said once, and together they stay short enough for a header, as in Kubernetes. */

/** Clients show each on a line of its own; more are dropped. */
const MAX_WARNINGS = 64;

/** All texts together; when they are longer, each is cut, and what then is beyond is dropped. */
const MAX_TOTAL_LETTERS = 4_096;
const MAX_CUT_LETTERS = 256;

export class Warnings {
  readonly #texts = new Set<string>();

  add(text: string): void {
    if (text !== '' && this.#texts.size < MAX_WARNINGS) this.#texts.add(text);
  }

  get texts(): readonly string[] {
    const texts = [...this.#texts];
    if (texts.reduce((total, text) => total + text.length, 0) <= MAX_TOTAL_LETTERS) return texts;
    const cut = texts.map((text) =>
      Array.from(text.slice(0, 2 * MAX_CUT_LETTERS))
        .slice(0, MAX_CUT_LETTERS)
        .join(''),
    );
    let written = 0;
    return cut.filter((text) => {
      const isRoom = written < MAX_TOTAL_LETTERS;
      if (isRoom) written += text.length;
      return isRoom;
    });
  }
}
