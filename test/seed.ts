import * as fc from "fast-check";

/**
 * What properties are tried with is the same in each run: one that fails was broken by a change, and not by chance. `FUZZ_SEED`: a number tries
 * others, `any` new ones each time (in plain Node; on the Workers runtime there is no environment to read).
 */
const { FUZZ_SEED = "1" } = process.env;
if (FUZZ_SEED !== "any") fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(FUZZ_SEED) });
