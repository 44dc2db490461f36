import { PrismaPg } from "@prisma/adapter-pg";
import { prismaProgram } from "./prisma-program.ts";

export const orm = prismaProgram((_, { url }) => new PrismaPg(url), "own");
