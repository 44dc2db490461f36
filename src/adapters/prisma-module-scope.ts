import { UsageError } from "../errors/errors.ts";

/** What Prisma is asked for at once, as far as it is read. Source: `RequestHandler` and `DataLoader` of `@prisma/client` 5 to 7.10. */
interface Job {
  readonly transaction?: { readonly lock?: object };
}

interface LoaderOptions {
  /** Jobs with the same text are sent together; undefined for one that is sent by itself. */
  batchBy(job: Job): string | undefined;
  singleLoader(job: Job): Promise<unknown>;
}

interface Loader {
  readonly options: LoaderOptions;
  request(job: Job): Promise<unknown>;
}

/**
 * Lets a `PrismaClient` at module scope serve all the requests of a Worker, over any adapter. By itself it gathers what several requests ask at a time
 * (`findUnique`, `$transaction([…])`, queries of transactions) and runs it in whichever of them asked first: the others hang, and all that follow, if that one
 * was canceled. Here each request's own is gathered, as Prisma gathers it elsewhere. Gives the same client; off Workers it changes nothing.
 *
 * @example export const prisma = atModuleScope(new PrismaClient({ adapter: new PrismaWarmline(db) }));
 * @throws UsageError ORM_VERSION for what is no `PrismaClient`, or one that gathers in a way that is not known here
 */
export function atModuleScope<Client extends object>(client: Client): Client {
  const shared = loaderOf(client);
  if ((globalThis as { navigator?: { userAgent?: string } }).navigator?.userAgent !== "Cloudflare-Workers") return client;
  const { options } = shared;
  const OwnLoader = shared.constructor as new (options: LoaderOptions) => Loader;
  const ofTransactions = new WeakMap<object, Loader>();
  let ofMoment: Loader | undefined;

  /** Of a transaction, which belongs to one request; or of what is asked until the next microtask, for no other request runs before that. */
  function ownLoader({ transaction }: Job): Loader {
    if (transaction === undefined) {
      if (ofMoment === undefined) {
        ofMoment = new OwnLoader(options);
        queueMicrotask(() => {
          ofMoment = undefined;
        });
      }
      return ofMoment;
    }
    // what the queries of a batch wait for together, or the transaction that an interactive one's share
    const key = transaction.lock ?? transaction;
    const own = ofTransactions.get(key) ?? new OwnLoader(options);
    ofTransactions.set(key, own);
    return own;
  }

  shared.request = (job) => ownLoader(job).request(job);
  return client;
}

/** Where a client gathers: Prisma has no public way to it. */
function loaderOf(client: object): Loader {
  const { dataloader } = (client as { readonly _requestHandler?: { readonly dataloader?: Partial<Loader> } })?._requestHandler ?? {};
  const { batchBy, singleLoader } = dataloader?.options ?? {};
  if (typeof dataloader?.request === "function" && typeof batchBy === "function" && typeof singleLoader === "function") {
    return dataloader as Loader;
  }
  throw new UsageError(
    "atModuleScope takes a PrismaClient of Prisma 7, and this is none, or one that gathers its queries in another way. Make a PrismaClient for each request, or install Prisma 7.10.",
    { code: "ORM_VERSION" },
  );
}
