/** What stands in a queue. */
export interface Queued {
  /** Who stands behind it. */
  next: object | undefined;
}

/** First in, first out, through what stands in it: a list that grows and shrinks in every query would be allocated in every query. */
export class Queue<T extends Queued> {
  head: T | undefined;
  last: T | undefined;

  push(one: T): void {
    if (this.last === undefined) this.head = one;
    else this.last.next = one;
    this.last = one;
  }

  shift(): void {
    const { head } = this;
    if (head === undefined) return;
    this.head = head.next as T | undefined;
    // what has left keeps nobody alive
    head.next = undefined;
    if (this.head === undefined) this.last = undefined;
  }

  /** Takes all of them out, in their order. */
  takeAll(): readonly T[] {
    const all: T[] = [];
    for (; this.head !== undefined; this.shift()) all.push(this.head);
    return all;
  }
}
