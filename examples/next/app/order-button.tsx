"use client";

import { useActionState } from "react";
import { order } from "./actions";

/** Orders one piece, and says what came of it. */
export function OrderButton({ product, soldOut }: { readonly product: number; readonly soldOut: boolean }) {
  const [answer, submit, pending] = useActionState(order, null);
  return (
    <form action={submit} className="order">
      <input type="hidden" name="product" value={product} />
      <button type="submit" disabled={pending || soldOut}>
        {soldOut ? "Sold out" : pending ? "One moment" : "Order"}
      </button>
      <span role="status" className={answer?.done ? "answer" : "answer refused"}>
        {answer?.words}
      </span>
    </form>
  );
}
