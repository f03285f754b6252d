/** Serves as `scripts/start.ts --built` does, with the rate limits of production: `npm start` itself has the wide ones. */
import { WORKER_DIR } from "../../../scripts/build.ts";
import { localSecrets } from "../../../scripts/local/secrets.ts";
import { migrate, serve } from "../../../scripts/local/server.ts";

const { PORT, DATA_DIR = "" } = process.env;
const bindings = { ...(await localSecrets(DATA_DIR)), RATE_LIMITS: "strict" };
await migrate(DATA_DIR);
await serve(WORKER_DIR, DATA_DIR, Number(PORT), bindings);
