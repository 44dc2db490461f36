/** Bytes that are written to, and never again once they were handed out: a socket may still hold them. */
const CHUNK_BYTES = 8_192;

/** A text up to this length is written here, one longer by the runtime, characters. Below it a call into the runtime costs more. */
const SHORT_TEXT = 48;

const encoder = new TextEncoder();

/** A stream takes a Buffer as it is, and makes one of everything else: where there is one, it is one from the start. */
const allocate = (size: number): Uint8Array<ArrayBuffer> => globalThis.Buffer?.allocUnsafeSlow(size) ?? new Uint8Array(size);

/**
 * Messages of ours on their way to one write. Every length is counted as the message is written, none ahead of it.
 * Source: PostgreSQL documentation, "Message Formats".
 */
export class Outbox {
  #bytes = new Uint8Array(0);
  /** Where what was not taken yet begins. */
  #from = 0;
  #at = 0;

  /** Parse. */
  parse(name: string, text: string): void {
    const start = this.#begin(0x50);
    this.#text(name);
    this.#text(text);
    this.#int16(0);
    this.#end(start);
  }

  /** Bind to a portal; parameters and columns in text. */
  bind(name: string, values: readonly (string | null)[], portal = ""): void {
    const start = this.#begin(0x42);
    this.#text(portal);
    this.#text(name);
    this.#int16(0);
    this.#int16(values.length);
    for (const value of values) {
      const length = this.#length();
      if (value === null) this.#setInt32(this.#from + length, -1);
      else {
        this.#characters(value);
        this.#setInt32(this.#from + length, this.#at - this.#from - length - 4);
      }
    }
    this.#int16(0);
    this.#end(start);
  }

  /** Describe a portal. */
  describePortal(portal = ""): void {
    this.#about(0x44, 0x50, portal);
  }

  /** Describe a statement by its name. */
  describeStatement(name: string): void {
    this.#about(0x44, 0x53, name);
  }

  /** Close a statement by its name. */
  closeStatement(name: string): void {
    this.#about(0x43, 0x53, name);
  }

  /** Close a portal by its name, or none of that name. */
  closePortal(name: string): void {
    this.#about(0x43, 0x50, name);
  }

  #about(type: number, kind: number, name: string): void {
    const start = this.#begin(type);
    this.#byte(kind);
    this.#text(name);
    this.#end(start);
  }

  /** Execute a portal, for so many rows; 0 for all there are. */
  execute(portal = "", limit = 0): void {
    const start = this.#begin(0x45);
    this.#text(portal);
    this.#int32(limit);
    this.#end(start);
  }

  sync(): void {
    this.#end(this.#begin(0x53));
  }

  /** Query, of the simple protocol. */
  query(text: string): void {
    const start = this.#begin(0x51);
    this.#text(text);
    this.#end(start);
  }

  copyFail(reason: string): void {
    const start = this.#begin(0x66);
    this.#text(reason);
    this.#end(start);
  }

  /** What was written since it was called last, for one write. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(this.#from, this.#at);
    this.#from = this.#at;
    return taken;
  }

  /** Makes room for so many bytes. */
  #need(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const written = this.#bytes.subarray(this.#from, this.#at);
    this.#bytes = allocate(Math.max(CHUNK_BYTES, 2 * written.length, written.length + count));
    this.#bytes.set(written);
    this.#from = 0;
    this.#at = written.length;
  }

  /** The type of a message, and room for its length. Returns the length's place. */
  #begin(type: number): number {
    this.#byte(type);
    return this.#length();
  }

  /** Room for a length. Returns its place, counted from what is not taken yet: what is written behind may move all that. */
  #length(): number {
    this.#need(4);
    const place = this.#at - this.#from;
    this.#at += 4;
    return place;
  }

  /** The length of a message counts itself. */
  #end(length: number): void {
    this.#setInt32(this.#from + length, this.#at - this.#from - length);
  }

  #byte(value: number): void {
    this.#need(1);
    this.#bytes[this.#at++] = value;
  }

  #int16(value: number): void {
    this.#need(2);
    this.#bytes[this.#at++] = value >>> 8;
    this.#bytes[this.#at++] = value;
  }

  #int32(value: number): void {
    const place = this.#length();
    this.#setInt32(this.#from + place, value);
  }

  #setInt32(at: number, value: number): void {
    const bytes = this.#bytes;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
  }

  /** A text and its zero byte. */
  #text(text: string): void {
    this.#characters(text);
    this.#byte(0);
  }

  #characters(text: string): void {
    this.#need(text.length);
    let read = 0;
    if (text.length <= SHORT_TEXT) {
      const bytes = this.#bytes;
      let at = this.#at;
      for (; read < text.length; read++) {
        const code = text.charCodeAt(read);
        if (code > 0x7f) break;
        bytes[at++] = code;
      }
      this.#at = at;
    }
    while (read < text.length) {
      const rest = read === 0 ? text : text.slice(read);
      const encoded = encoder.encodeInto(rest, this.#bytes.subarray(this.#at));
      read += encoded.read;
      this.#at += encoded.written;
      // a character is three bytes at most: one of four is two in a string
      if (read < text.length) this.#need(3 * (text.length - read));
    }
  }
}
