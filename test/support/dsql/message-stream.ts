/** One message of Postgres' protocol behind the login, with its header. */
export interface Message {
  readonly type: string;
  readonly bytes: Buffer;
  /** What follows the length. */
  readonly body: Buffer;
}

/** Cuts bytes into messages: those that are whole are given, the rest is kept for the next. */
export function messageStream(): (chunk: Buffer) => Message[] {
  let kept: Buffer = Buffer.alloc(0);
  return (chunk) => {
    kept = Buffer.concat([kept, chunk]);
    const whole: Message[] = [];
    while (kept.length >= 5 && kept.length > kept.readInt32BE(1)) {
      const end = kept.readInt32BE(1) + 1;
      whole.push({ type: String.fromCharCode(kept[0] as number), bytes: kept.subarray(0, end), body: kept.subarray(5, end) });
      kept = kept.subarray(end);
    }
    return whole;
  };
}

/** A message of the client's whose text is another. */
export function withText({ type, body }: Message, text: string): Buffer {
  const [before, after] = type === "Q" ? ["", Buffer.alloc(0)] : [nameOf(body), body.subarray(afterText(body, afterText(body, 0)))];
  const parts = Buffer.concat([...(type === "Q" ? [] : [Buffer.from(`${before}\0`)]), Buffer.from(`${text}\0`), after]);
  const bytes = Buffer.alloc(5 + parts.length);
  bytes.write(type, 0, "latin1");
  bytes.writeInt32BE(4 + parts.length, 1);
  parts.copy(bytes, 5);
  return bytes;
}

/** The text of a Parse or Query; undefined of any other. */
export function textOf({ type, body }: Message): string | undefined {
  if (type === "Q") return body.toString("utf8", 0, afterText(body, 0) - 1);
  if (type !== "P") return undefined;
  const start = afterText(body, 0);
  return body.toString("utf8", start, afterText(body, start) - 1);
}

/** The name a Parse gives its statement; empty for none. */
export const nameOf = (body: Buffer): string => body.toString("utf8", 0, afterText(body, 0) - 1);

const afterText = (body: Buffer, from: number): number => body.indexOf(0, from) + 1;
