"use server";

import { revalidatePath } from "next/cache";
import { db } from "../lib/database";

/** What the form shows after an order. */
export interface OrderAnswer {
  readonly done: boolean;
  readonly words: string;
}

/** Takes one piece from the stock and writes the order down, or neither. */
export async function order(_before: OrderAnswer | null, form: FormData): Promise<OrderAnswer> {
  const id = Number(form.get("product"));
  const bought = await db.transaction(async (tx) => {
    const [product] = await tx.sql<{ name: string }>`
      update products set stock = stock - 1 where id = ${id} and stock > 0 returning name`;
    if (product !== undefined) await tx.sql`insert into orders (product_id, quantity) values (${id}, 1)`;
    return product;
  });
  revalidatePath("/");
  return bought === undefined ? { done: false, words: "Sold out." } : { done: true, words: `${bought.name} is yours.` };
}
