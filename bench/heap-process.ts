// The heap rows in a process of their own, which is run with --expose-gc: prints what `heap.ts` found as JSON.
interface Heap {
  heapGrowth(url: string): Promise<{ readonly after1mQueriesBytes: number; readonly after100kTextsBytes: number }>;
}

const { heapGrowth } = (await import(new URL("./heap.ts", import.meta.url).href)) as Heap;
console.log(JSON.stringify(await heapGrowth(process.argv[2] as string)));
