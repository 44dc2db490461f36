/** For how long a connection has been on its way, of all that were opened: a time that runs while at least one is. Milliseconds. */
export class OpeningTime {
  /** How often it began or stopped to run. */
  changes = 0;
  /** What it came to until it stopped last. */
  total = 0;
  #opening = 0;
  #since = 0;

  get runs(): boolean {
    return this.#opening > 0;
  }

  begin(): void {
    if (this.#opening++ > 0) return;
    this.changes++;
    this.#since = performance.now();
  }

  end(): void {
    if (--this.#opening > 0) return;
    this.changes++;
    this.total += performance.now() - this.#since;
  }

  /** Until `now`, of the monotonic clock. */
  until(now: number): number {
    return this.total + (this.runs ? now - this.#since : 0);
  }
}
