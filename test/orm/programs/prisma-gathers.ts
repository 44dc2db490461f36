import type { PrismaClient } from "prisma-client";

/** An author of one request, who has two books; that of all requests is the first. */
interface Own {
  readonly name: string;
  readonly authorId: number;
  /** That of all, as it is read. */
  readonly everybody: unknown;
}

/**
 * Asks a client for everything that Prisma gathers before it sends it: of one row in all requests, of one in each, in batches and in transactions.
 * @throws Error for an answer that is another's
 */
export async function prismaGathers(prisma: PrismaClient, { name, authorId, everybody }: Own): Promise<void> {
  const [own, first] = [{ where: { id: authorId } }, { where: { id: 1 } }];
  const mine = { id: authorId, name };
  const seen = await Promise.all([
    prisma.author.findUniqueOrThrow(own),
    prisma.author.findUnique(first),
    prisma.author.findUnique(own),
    prisma.author.findUnique({
      where: { id: authorId },
      select: { books: { select: { title: true, author: true }, orderBy: { id: "asc" } } },
    }),
    prisma.author.findUnique(own).books({ select: { title: true }, orderBy: { id: "asc" } }),
    prisma.author.findUniqueOrThrow({ where: { id: -authorId } }).catch(({ code }) => code),
  ]);
  // a busy machine is no failure
  const patient = { maxWait: 60_000, timeout: 60_000 };
  // one after the other, or each request would hold a connection for each
  const batch = await prisma.$transaction(
    [prisma.author.findUnique(own), prisma.author.count({ where: { name } }), prisma.author.findUniqueOrThrow(first)],
    patient,
  );
  const interactive = await prisma.$transaction(async (tx) => {
    await tx.author.updateMany({ where: { id: authorId }, data: { name } });
    return Promise.all([tx.author.findUnique(own), tx.author.findUnique(first), tx.author.findUniqueOrThrow(own)]);
  }, patient);
  const books = ["Notes", "Sketch"].map((title) => ({ title, author: mine }));
  const titles = books.map(({ title }) => ({ title }));
  const wanted = [mine, everybody, mine, { books }, titles, "P2025", [mine, 1, everybody], [mine, everybody, mine]];
  const given = JSON.stringify([...seen, batch, interactive]);
  if (given !== JSON.stringify(wanted)) throw new Error(`It was given ${given}.`);
}
