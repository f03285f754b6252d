import { useEffect } from "preact/hooks";
import { loadAcquaintance } from "../model/acquaintance.ts";
import { useSession } from "./session-context.ts";

/** [AP-21] Asks for what no log tells, once the server is there; my contacts the SDK keeps as they are from then on. */
export function KeepUp() {
  const session = useSession();
  const isConnected = session.connection.value.is === "connected";
  useEffect(() => {
    if (isConnected) void loadAcquaintance(session);
  }, [isConnected]);
  return null;
}
