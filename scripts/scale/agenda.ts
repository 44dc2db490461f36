/** What is to happen, in the order of its time. */
export interface Agenda {
  /** Lets something happen at a time, milliseconds. What has the same time happens in the order it was said. */
  at(ms: number, happen: (nowMs: number) => void): void;
  /** Lets all happen that comes before `ms`. */
  runUntil(ms: number): void;
}

interface Entry {
  readonly ms: number;
  readonly order: number;
  readonly happen: (nowMs: number) => void;
}

/** An agenda that is a binary heap: a simulation puts millions of things on it, and takes them off by their time. */
export function createAgenda(): Agenda {
  const heap: Entry[] = [];
  let said = 0;
  const isBefore = (one: Entry, another: Entry) => one.ms < another.ms || (one.ms === another.ms && one.order < another.order);
  const takeFirst = (): Entry => {
    const first = heap[0] as Entry;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let least = 2 * place + 1;
      if (least >= heap.length) break;
      if (least + 1 < heap.length && isBefore(heap[least + 1] as Entry, heap[least] as Entry)) least++;
      if (isBefore(last, heap[least] as Entry)) break;
      heap[place] = heap[least] as Entry;
      place = least;
    }
    heap[place] = last;
    return first;
  };
  return {
    at(ms, happen) {
      const entry = { ms, order: said++, happen };
      let place = heap.length;
      for (let above = (place - 1) >> 1; place > 0 && isBefore(entry, heap[above] as Entry); above = (place - 1) >> 1) {
        heap[place] = heap[above] as Entry;
        place = above;
      }
      heap[place] = entry;
    },
    runUntil(ms) {
      while (heap.length > 0 && (heap[0] as Entry).ms < ms) {
        const { ms: nowMs, happen } = takeFirst();
        happen(nowMs);
      }
    },
  };
}
