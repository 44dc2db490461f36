/** Counts what has begun and not ended, and closes: then nothing may begin any more. */
export class OpenCalls {
  #open = 0;
  #onDrained: (() => void) | undefined;

  /** Whether nothing may begin any more. */
  get closed(): boolean {
    return this.#onDrained !== undefined;
  }

  begin(): void {
    this.#open++;
  }

  end(): void {
    this.#open--;
    this.#noteDrained();
  }

  /** Resolves when everything that has begun has ended. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#onDrained = resolve;
      this.#noteDrained();
    });
  }

  #noteDrained(): void {
    if (this.#open === 0) this.#onDrained?.();
  }
}
