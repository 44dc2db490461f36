// Compiled, never run: the adapter is what Prisma takes. Of the tools, so not with the project.
import type { SqlDriverAdapterFactory } from "@prisma/driver-adapter-utils";
import type { PrismaWarmline } from "warmline/prisma";

export const adapterIsTaken = (adapter: PrismaWarmline): SqlDriverAdapterFactory => adapter;
