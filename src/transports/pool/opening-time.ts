/** For how long a connection has been on its way, of all that were opened: a time that runs while at least one is. Milliseconds. */
export class OpeningTime {
  #opening = 0;
  #since = 0;
  #before = 0;

  begin(): void {
    if (this.#opening++ === 0) this.#since = performance.now();
  }

  end(): void {
    if (--this.#opening === 0) this.#before += performance.now() - this.#since;
  }

  /** Until `now`, of the monotonic clock. */
  until(now: number): number {
    return this.#before + (this.#opening > 0 ? now - this.#since : 0);
  }
}
