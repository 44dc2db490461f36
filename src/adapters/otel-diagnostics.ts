interface Channel {
  subscribe(listen: (message: unknown) => void): void;
  unsubscribe(listen: (message: unknown) => void): void;
}

/** Hears a channel of `node:diagnostics_channel`; returns what ends it, undefined where the runtime has none. */
export function subscribe<Message>(name: string, listen: (message: Message) => void): (() => void) | undefined {
  // not while modules are loaded: to read `process` takes workerd 3 ms of CPU
  const { process } = globalThis as {
    readonly process?: { getBuiltinModule?(name: "node:diagnostics_channel"): { channel(name: string): Channel } | undefined };
  };
  const channel = process?.getBuiltinModule?.("node:diagnostics_channel")?.channel(name);
  channel?.subscribe(listen as (message: unknown) => void);
  return channel && (() => channel.unsubscribe(listen as (message: unknown) => void));
}

/** Hears the beginnings and ends of a tracing channel. What has begun when this is ended is heard to its end. */
export function subscribeTo<Message extends object>(
  name: string,
  { start, asyncEnd }: { readonly start: (message: Message) => void; readonly asyncEnd: (message: Message) => void },
): (() => void) | undefined {
  let open = 0;
  let isOver = false;
  const begun = new WeakSet<object>();
  const stopEnds = subscribe<Message>(`${name}:asyncEnd`, (message) => {
    if (!begun.delete(message)) return;
    open--;
    asyncEnd(message);
    if (isOver && open === 0) stopEnds?.();
  });
  const stopStarts = subscribe<Message>(`${name}:start`, (message) => {
    begun.add(message);
    open++;
    start(message);
  });
  return (
    stopStarts &&
    (() => {
      isOver = true;
      stopStarts();
      if (open === 0) stopEnds?.();
    })
  );
}
