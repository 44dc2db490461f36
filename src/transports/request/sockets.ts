/** Sockets one request may have open at once. Source: Cloudflare's documentation, "Simultaneous open connections". */
export const MAX_SOCKETS = 6;

/** What the holder of sockets is asked and told. */
export interface SocketsOwner {
  /** Told when something is about to be open, with a promise that settles when nothing is open any more. */
  readonly onOpen: (ended: Promise<void>) => void;
  /** Closes a socket that nobody uses, if there is one: somebody waits for its place. */
  readonly makeRoom: () => void;
  /** A socket has closed, and nobody who goes first took its place. */
  readonly onFree: () => void;
}

/** The places for sockets of one request: those that are open, or not closed yet. */
export class Sockets {
  readonly #owner: SocketsOwner;
  #taken = 0;
  /** Requests besides the connections that wait for a place: they go first. */
  readonly #besidesWaiting: (() => void)[] = [];
  #ended: PromiseWithResolvers<void> | undefined;

  constructor(owner: SocketsOwner) {
    this.#owner = owner;
  }

  get areAllTaken(): boolean {
    return this.#taken >= MAX_SOCKETS;
  }

  /** Keeps the request alive until nothing is open: to be called before anything opens. */
  keepAlive(): void {
    if (this.#ended !== undefined) return;
    const ended = Promise.withResolvers<void>();
    this.#owner.onOpen(ended.promise);
    this.#ended = ended;
  }

  take(): void {
    this.#taken++;
  }

  free(): void {
    const besides = this.#besidesWaiting.shift();
    if (besides === undefined) this.#taken--;
    else besides();
    this.letGo();
    this.#owner.onFree();
  }

  /** Sends a request besides the connections, as a cancel is, once there is a place for its socket. */
  async besides(request: () => Promise<void>): Promise<void> {
    if (this.areAllTaken) {
      this.#owner.makeRoom();
      // at the latest the connection's own is free when it has been given up
      await new Promise<void>((resolve) => this.#besidesWaiting.push(resolve));
    } else this.take();
    return request().finally(() => this.free());
  }

  /** Where nothing is open nothing keeps the request alive any more. */
  letGo(): void {
    if (this.#taken > 0) return;
    this.#ended?.resolve();
    this.#ended = undefined;
  }
}
