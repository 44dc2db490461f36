import type { MessageBytes } from "./message-bytes.ts";

/** The beginning of a message whose end has not come yet, in the chunks it came in. */
export class PartialMessage {
  #parts: MessageBytes[] = [];
  #held = 0;
  #needed = 0;

  /** Keeps a beginning until `needed` bytes are there. */
  keep(beginning: MessageBytes, needed: number): void {
    this.#parts = [beginning];
    this.#held = beginning.length;
    this.#needed = needed;
  }

  /** A chunk with what was kept before it; undefined while that is not enough. */
  complete(chunk: MessageBytes): MessageBytes | undefined {
    if (this.#held === 0) return chunk;
    this.#parts.push(chunk);
    this.#held += chunk.length;
    if (this.#held < this.#needed) return undefined;
    const bytes = joined(this.#parts, this.#held);
    this.#parts = [];
    this.#held = 0;
    return bytes;
  }
}

/** Joined by their own kind of Buffer, which the driver's parser needs: not every runtime has a global one. */
function joined(parts: readonly MessageBytes[], length: number): MessageBytes {
  const { concat } = (parts[0] as MessageBytes).constructor as unknown as {
    concat(parts: readonly MessageBytes[], length: number): MessageBytes;
  };
  return concat(parts, length);
}
